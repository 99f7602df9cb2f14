//! Identifiers that are numbers.

use std::fmt;
use std::str::FromStr;

use super::BadId;

/// The number of a client network: a VXLAN network identifier, or a VLAN ID if it is bridged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vni(u32);

impl Vni {
    /// The greatest number that fits VXLAN's 24 bits.
    pub const MAX: u32 = 0x00ff_ffff;

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The number of an OSD, as Ceph counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsdId(pub u32);

/// A number without sign or leading zeros, so that every number has one path only.
fn plain(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl FromStr for Vni {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        plain(text)
            .filter(|number| (1..=Self::MAX).contains(number))
            .map(Self)
            .ok_or_else(|| BadId::new(text, "VNI", "a whole number from 1 to 16777215"))
    }
}

impl FromStr for OsdId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        plain(text).map(Self).ok_or_else(|| BadId::new(text, "OSD", "a whole number"))
    }
}

impl fmt::Display for Vni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for OsdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!("1001".parse::<Vni>().unwrap().get(), 1001);
        assert_eq!("0".parse::<OsdId>().unwrap(), OsdId(0));
        for bad in ["", "01", "+1", "-1", "1 ", "0", "16777216", "x"] {
            assert!(bad.parse::<Vni>().is_err(), "{bad:?}");
        }
        assert!("01".parse::<OsdId>().is_err());
    }
}
