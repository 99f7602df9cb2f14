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

/// How OSDs are lost to a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OsdLoss {
    /// They do not answer, and may live: others take their place once what they have promised to readers
    /// has run out.
    Down,
    /// They are dead beyond doubt: nothing has to run out.
    Dead,
}

/// A flag of the whole storage cluster, by which people hold back what it does by itself.
///
/// Ceph has two more, which are not offered: `full`, which stops all writes, and
/// `pglog_hardlimit`, which cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OsdFlag {
    /// Neither reads nor writes are served.
    Pause,
    /// No OSD is counted as up again.
    NoUp,
    /// No OSD is counted as down.
    NoDown,
    /// No OSD is taken out because it is down.
    NoOut,
    /// No OSD is put in when it comes up.
    NoIn,
    /// No data is moved to where it belongs.
    NoBackfill,
    /// No data is moved, unless copies are missing.
    NoRebalance,
    /// No missing copy is made.
    NoRecover,
    /// Copies are not compared.
    NoScrub,
    /// Copies are not compared byte by byte.
    NoDeepScrub,
    /// Cache tiers do nothing by themselves.
    NoTierAgent,
    /// Snapshots that were removed keep their space.
    NoSnapTrim,
}

impl Word for OsdFlag {
    const KIND: &'static str = "OSD property";
    const ALL: &'static [Self] = &[
        Self::Pause,
        Self::NoUp,
        Self::NoDown,
        Self::NoOut,
        Self::NoIn,
        Self::NoBackfill,
        Self::NoRebalance,
        Self::NoRecover,
        Self::NoScrub,
        Self::NoDeepScrub,
        Self::NoTierAgent,
        Self::NoSnapTrim,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::NoUp => "noup",
            Self::NoDown => "nodown",
            Self::NoOut => "noout",
            Self::NoIn => "noin",
            Self::NoBackfill => "nobackfill",
            Self::NoRebalance => "norebalance",
            Self::NoRecover => "norecover",
            Self::NoScrub => "noscrub",
            Self::NoDeepScrub => "nodeep-scrub",
            Self::NoTierAgent => "notieragent",
            Self::NoSnapTrim => "nosnaptrim",
        }
    }
}
