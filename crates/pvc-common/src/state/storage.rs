//! Kinds of storage.

use super::Word;

/// Which devices a pool keeps its data on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Any.
    Default,
    /// Rotating disks.
    Hdd,
    /// Solid-state disks.
    Ssd,
    /// Solid-state disks on NVMe.
    Nvme,
}

impl Word for Tier {
    const KIND: &'static str = "storage tier";
    const ALL: &'static [Self] = &[Self::Default, Self::Hdd, Self::Ssd, Self::Nvme];

    fn text(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Hdd => "hdd",
            Self::Ssd => "ssd",
            Self::Nvme => "nvme",
        }
    }
}
