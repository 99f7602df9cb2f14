//! Identities of the storage: of OSDs and clusters, and of what they are kept on.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::BadId;

/// The identity of an OSD or of a storage cluster, which no other ever has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fsid(Uuid);

impl FromStr for Fsid {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::try_parse(text).map(Self).map_err(|_| {
            BadId::new(text, "identity", "a UUID such as 6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10")
        })
    }
}

impl fmt::Display for Fsid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

/// The path of a block device: below `/dev`, without a step back, and without anything that a
/// program might take for more than a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DevicePath(Box<str>);

impl DevicePath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DevicePath {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._:+@=-".contains(c);
        let segment = |part: &str| !part.is_empty() && part != "." && part != "..";
        let sound = text.len() <= 255
            && text.strip_prefix("/dev/").is_some_and(|rest| {
                rest.split('/').all(|part| segment(part) && part.chars().all(plain))
            });
        let bad = || BadId::new(text, "block device", "a path such as /dev/sdb");
        sound.then(|| Self(text.into())).ok_or_else(bad)
    }
}

impl fmt::Display for DevicePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a logical volume of LVM, `group/volume`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LvName {
    group: Box<str>,
    volume: Box<str>,
}

impl LvName {
    /// Its volume group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Its name there.
    #[must_use]
    pub fn volume(&self) -> &str {
        &self.volume
    }
}

impl FromStr for LvName {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let plain = |part: &str| {
            !part.is_empty()
                && part.len() <= 127
                && !part.starts_with(['-', '.'])
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
        };
        match text.split_once('/') {
            Some((group, volume)) if plain(group) && plain(volume) => {
                Ok(Self { group: group.into(), volume: volume.into() })
            }
            Some(_) | None => Err(BadId::new(text, "logical volume", "group/volume")),
        }
    }
}

impl fmt::Display for LvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.volume)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_one_spelling() {
        let fsid: Fsid = "599BBA99-99ea-474b-ac4b-f26769c83c7c".parse().unwrap();
        assert_eq!(fsid.to_string(), "599bba99-99ea-474b-ac4b-f26769c83c7c");
        assert!("599bba99".parse::<Fsid>().is_err());
    }

    #[test]
    fn a_device_is_a_path_that_no_program_misreads() {
        for good in ["/dev/sdb", "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "/dev/nvme0n1"] {
            assert_eq!(good.parse::<DevicePath>().unwrap().to_string(), good);
        }
        for bad in ["", "sdb", "/dev/", "/dev", "/dev/../etc/passwd", "/dev//sdb", "/dev/a b", "-x"]
        {
            assert!(bad.parse::<DevicePath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_logical_volume_has_a_group() {
        let name: LvName = "osd-db/osd-3".parse().unwrap();
        assert_eq!((name.group(), name.volume()), ("osd-db", "osd-3"));
        assert_eq!(name.to_string(), "osd-db/osd-3");
        for bad in ["", "a", "/b", "a/", "a/b/c", "-a/b", "a/..", "a b/c"] {
            assert!(bad.parse::<LvName>().is_err(), "{bad:?}");
        }
    }
}
