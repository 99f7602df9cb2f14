//! How people name a disk: by its path, or by what it is.

use std::fmt;
use std::str::FromStr;

use super::{BadId, DevicePath};
use crate::unit::Bytes;

/// A disk as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disk {
    /// By its path.
    Path(DevicePath),
    /// By its model, size and place among those that are alike, for machines whose disks change
    /// their names: `detect:SAMSUNG:800GB:0`.
    Detect(Detect),
}

/// Which disk of a machine is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detect {
    name: Box<str>,
    size: Box<str>,
    size_bytes: u64,
    index: u32,
}

/// Sizes on labels are rounded.
const TOLERANCE_PERCENT: u64 = 3;

/// Units of 1000, as makers of disks use them.
const UNITS: [(&str, u64); 6] = [
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("EB", 1_000_000_000_000_000_000),
];

/// A size as makers of disks write it: `480GB`, `1.92TB`.
#[must_use]
pub fn maker_size(text: &str) -> Option<Bytes> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let plain = number.len() <= 12 && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let number: f64 = number.parse().ok().filter(|_| plain)?;
    let milli = (number * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let bytes = (milli as u128) * u128::from(factor) / 1000;
    u64::try_from(bytes).ok().map(Bytes)
}

impl Detect {
    /// Whether a disk of this description and size is one of those that are alike.
    #[must_use]
    pub fn is_like(&self, description: &str, size: Bytes) -> bool {
        let named = description.to_lowercase().contains(&self.name.to_lowercase());
        let apart = u128::from(size.0.abs_diff(self.size_bytes));
        named && apart * 100 <= u128::from(self.size_bytes) * u128::from(TOLERANCE_PERCENT)
    }

    /// Which of those that are alike it is, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        usize::try_from(self.index).unwrap_or(usize::MAX)
    }
}

impl FromStr for Detect {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let parse = || {
            let mut parts = text.strip_prefix("detect:")?.split(':');
            let (name, size, index) = (parts.next()?, parts.next()?, parts.next()?);
            let sound = parts.next().is_none() && !name.is_empty() && name.len() <= 80;
            let index = index.parse().ok().filter(|_| sound)?;
            let size_bytes = maker_size(size)?.0;
            Some(Self { name: name.into(), size: size.into(), size_bytes, index })
        };
        let expected = "detect:NAME:SIZE:ID, such as detect:SAMSUNG:800GB:0";
        parse().ok_or_else(|| BadId::new(text, "detect string", expected))
    }
}

impl fmt::Display for Detect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "detect:{}:{}:{}", self.name, self.size, self.index)
    }
}

impl FromStr for Disk {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        if text.starts_with("detect:") {
            text.parse().map(Self::Detect)
        } else {
            text.parse().map(Self::Path)
        }
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Detect(detect) => detect.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_a_path_or_a_description() {
        for good in ["/dev/sdb", "detect:SAMSUNG MZ7:1.92TB:3"] {
            assert_eq!(good.parse::<Disk>().unwrap().to_string(), good);
        }
        for bad in
            ["sdb", "detect:", "detect:A:1:0", "detect:A:1GiB:0", "detect::1GB:0", "detect:A:1GB:x"]
        {
            assert!(bad.parse::<Disk>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn disks_are_alike_whose_size_is_nearly_the_same() {
        let detect: Detect = "detect:samsung:800GB:0".parse().unwrap();
        for (description, size, alike) in [
            ("ATA SAMSUNG MZ7", "800GB", true),
            ("ATA SAMSUNG MZ7", "776GB", true),
            ("ATA SAMSUNG MZ7", "824GB", true),
            ("ATA SAMSUNG MZ7", "775GB", false),
            ("ATA SAMSUNG MZ7", "0.8TB", true),
            ("ATA INTEL", "800GB", false),
        ] {
            let size = maker_size(size).unwrap();
            assert_eq!(detect.is_like(description, size), alike, "{description} {size}");
        }
    }
}
