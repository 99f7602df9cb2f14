//! Identifiers: parsed once where text enters the program, trusted afterwards.

mod disk;
mod dns;
mod duid;
mod mac;
mod name;
mod number;
mod pci;
mod storage;
mod volume;

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

pub use disk::{Detect, Disk, maker_size};
pub use dns::{DnsName, Hostname};
pub use duid::Duid;
pub use mac::MacAddress;
pub use name::{
    FaultId, FenceId, JobName, PluginName, PoolName, RuleName, SnapshotName, SriovName, TagName,
    TaskId, VmName, VolumeName,
};
pub use number::{OsdId, Vni};
pub use pci::PciAddress;
pub use storage::{DevicePath, Fsid, LvName};
pub use volume::{SnapshotId, VolumeId};

/// Why a text is not an identifier of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: expected {expected}")]
pub struct BadId {
    text: String,
    kind: &'static str,
    expected: &'static str,
}

impl BadId {
    fn new(text: &str, kind: &'static str, expected: &'static str) -> Self {
        // A hostile or binary text must not flood a log line.
        let text = text.chars().take(80).collect();
        Self { text, kind, expected }
    }
}

/// The short host name of a node, as it appears under `/nodes`.
///
/// One host label: letters, digits and inner hyphens, at most 63 characters; so it is also
/// one ZooKeeper path segment and never needs quoting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Box<str>);

impl NodeName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The node's number: the last group of digits in its name, so `3` for `hv3`.
    ///
    /// `by-id` addresses are counted by it. `None` for a name without digits.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.0.rsplit(|c: char| !c.is_ascii_digit()).find(|group| !group.is_empty())?.parse().ok()
    }
}

impl FromStr for NodeName {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let label = !text.is_empty()
            && text.len() <= 63
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if label {
            Ok(Self(text.into()))
        } else {
            Err(BadId::new(text, "node name", "one host label of letters, digits and hyphens"))
        }
    }
}

/// The UUID of a VM: the key under `/domains`, in lower case with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VmUuid(Uuid);

impl VmUuid {
    /// The UUID itself.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl FromStr for VmUuid {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Uuid::try_parse(text).map(Self).map_err(|_| {
            BadId::new(text, "VM UUID", "a UUID such as 6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10")
        })
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VmUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_name_is_one_host_label() {
        for good in ["hv1", "pvc-hv-12", "A"] {
            assert_eq!(good.parse::<NodeName>().unwrap().to_string(), good);
        }
        for bad in ["", "a/b", "a.b", "-a", "a-", "a b", "hv1\n", &"x".repeat(64)] {
            assert!(bad.parse::<NodeName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_nodes_number_is_its_last_group_of_digits() {
        assert_eq!("hv3".parse::<NodeName>().unwrap().number(), Some(3));
        assert_eq!("dc2-hv14".parse::<NodeName>().unwrap().number(), Some(14));
        assert_eq!("hv2a".parse::<NodeName>().unwrap().number(), Some(2));
        assert_eq!("alpha".parse::<NodeName>().unwrap().number(), None);
    }

    #[test]
    fn a_uuid_is_written_in_lower_case_with_hyphens() {
        let uuid: VmUuid = "6F1C2A3E8A614B079D430B1F6A2C9E10".parse().unwrap();
        assert_eq!(uuid.to_string(), "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10");
    }

    #[test]
    fn an_error_says_what_was_expected_and_stays_short() {
        let error = "x/".repeat(500).parse::<NodeName>().unwrap_err().to_string();
        assert!(error.contains("expected one host label"), "{error}");
        assert!(error.len() < 200);
    }
}
