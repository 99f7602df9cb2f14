//! A value as it was last read, with what is needed to write over it safely.

use super::{Expected, Text};

/// The version of a znode's data: counts its writes since it was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub i32);

/// What a key held when it was last read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seen<T> {
    /// There was no such znode.
    #[default]
    Absent,
    /// The data could not be understood. The version still guards a write over it.
    Bad {
        /// Version of the data.
        version: Version,
        /// What was wrong with it.
        why: Box<str>,
    },
    /// The data was understood.
    Value {
        /// What it said.
        value: T,
        /// Version of the data.
        version: Version,
    },
}

impl<T> Seen<T> {
    /// The value, unless it is absent or undecodable.
    #[must_use]
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Value { value, .. } => Some(value),
            Self::Absent | Self::Bad { .. } => None,
        }
    }

    /// What a write over this reading must expect to find.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        match self {
            Self::Absent => Expected::Absent,
            Self::Bad { version, .. } | Self::Value { version, .. } => Expected::Version(*version),
        }
    }

    /// Why the data could not be understood, if so.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Bad { why, .. } => Some(why),
            Self::Absent | Self::Value { .. } => None,
        }
    }
}

impl<T: Copy> Seen<T> {
    /// A copy of the value, unless it is absent or undecodable.
    #[must_use]
    pub const fn copied(&self) -> Option<T> {
        match self {
            Self::Value { value, .. } => Some(*value),
            Self::Absent | Self::Bad { .. } => None,
        }
    }
}

impl<T: Text> Seen<T> {
    /// Understands what was read: `None` when there was no znode.
    #[must_use]
    pub fn read(data: Option<(&[u8], Version)>) -> Self {
        let Some((bytes, version)) = data else {
            return Self::Absent;
        };
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned());
        match text.and_then(|text| T::decode(text).map_err(|bad| bad.to_string())) {
            Ok(value) => Self::Value { value, version },
            Err(why) => Self::Bad { version, why: why.into_boxed_str() },
        }
    }
}
