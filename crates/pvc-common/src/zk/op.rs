//! Guarded writes as data: a plan says what it expects to find and what shall be there.

use super::Version;

/// What a write expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// No such znode: the write creates it.
    Absent,
    /// A znode whose data is at this version.
    Version(Version),
}

/// One operation of an atomic transaction. If any fails, none happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Creates a persistent znode; its parent must exist. Fails if it exists.
    Create {
        /// Absolute path.
        path: String,
        /// Data.
        data: Vec<u8>,
    },
    /// Creates a znode that vanishes with this session. Fails if it exists.
    CreateEphemeral {
        /// Absolute path.
        path: String,
        /// Data.
        data: Vec<u8>,
    },
    /// Replaces the data of a znode that is at `version`.
    Set {
        /// Absolute path.
        path: String,
        /// Data.
        data: Vec<u8>,
        /// The version it was read at.
        version: Version,
    },
    /// Deletes a childless znode that is at `version`.
    Delete {
        /// Absolute path.
        path: String,
        /// The version it was read at.
        version: Version,
    },
    /// Changes nothing, but fails unless the znode is at `version`.
    Check {
        /// Absolute path.
        path: String,
        /// The version it was read at.
        version: Version,
    },
}

impl Op {
    /// Puts `data` at `path`, creating or replacing as `expected` says.
    #[must_use]
    pub fn put(path: impl Into<String>, data: impl Into<Vec<u8>>, expected: Expected) -> Self {
        let (path, data) = (path.into(), data.into());
        match expected {
            Expected::Absent => Self::Create { path, data },
            Expected::Version(version) => Self::Set { path, data, version },
        }
    }

    /// The path this operation is about.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Create { path, .. }
            | Self::CreateEphemeral { path, .. }
            | Self::Set { path, .. }
            | Self::Delete { path, .. }
            | Self::Check { path, .. } => path,
        }
    }
}
