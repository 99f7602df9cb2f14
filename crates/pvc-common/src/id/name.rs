//! Names that are one ZooKeeper path segment and otherwise free.

use std::fmt;
use std::str::FromStr;

use super::BadId;

/// Whether a text can be one segment of a path, and be listed where `separators` part a list.
fn fits(text: &str, separators: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.trim() == text
        && text != "."
        && text != ".."
        && !text.contains(|c: char| c == '/' || c.is_control() || separators.contains(c))
}

/// Names with their own type each, so that none is taken for another.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $separators:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(Box<str>);

            impl $name {
                /// The name as text.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl FromStr for $name {
                type Err = BadId;

                fn from_str(text: &str) -> Result<Self, BadId> {
                    if fits(text, $separators) {
                        Ok(Self(text.into()))
                    } else {
                        let expected = concat!(
                            "up to 255 bytes without `/", $separators, "` or control characters"
                        );
                        Err(BadId::new(text, $kind, expected))
                    }
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )+
    };
}

names! {
    /// The name of a VM, unique in the cluster.
    ///
    /// Anything libvirt takes as a domain name, so that existing VMs keep theirs: not empty, no
    /// `/`, no control characters, no blank at either end, at most 255 bytes.
    VmName, "VM name", "";
    /// The name of a VM's tag.
    TagName, "tag", "";
    /// The name of a storage pool.
    PoolName, "pool name", "@,";
    /// The name of a volume, unique in its pool.
    VolumeName, "volume name", "@,";
    /// The name of a snapshot, unique in its VM or volume.
    SnapshotName, "snapshot name", "@,";
    /// The name of a firewall rule, unique in its network and direction.
    RuleName, "firewall rule name", "";
    /// The name of a node's health check.
    PluginName, "health check", " ,";
    /// The name of an SR-IOV function, as the kernel names its interface.
    SriovName, "SR-IOV function", "";
    /// Which fault it is, such as `DEAD_NODE_HV2`.
    FaultId, "fault", "";
    /// Which fence of a node it is, such as `hv2-1763695123000`.
    FenceId, "fence", "";
    /// The name of a run of the storage benchmark.
    JobName, "benchmark name", "";
    /// Which task it is, such as `9f1c02aa`.
    TaskId, "task", "";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_path_segment_but_otherwise_free() {
        for good in ["web1", "web 1", "wéb", "a.b"] {
            assert_eq!(good.parse::<VmName>().unwrap().to_string(), good);
        }
        for bad in ["", "a/b", " a", "a\u{0}", "a\nb", ".", "..", &"x".repeat(256)] {
            assert!(bad.parse::<VmName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_says_which_name_is_meant() {
        let error = "a/b".parse::<TagName>().unwrap_err().to_string();
        assert!(error.starts_with("`a/b` is not a tag"), "{error}");
    }

    #[test]
    fn what_is_kept_in_lists_has_no_separator_in_its_name() {
        assert!("a,b".parse::<VmName>().is_ok());
        assert!("a,b".parse::<VolumeName>().is_err());
        assert!("a@b".parse::<SnapshotName>().is_err());
        assert!("a b".parse::<PluginName>().is_err());
    }
}
