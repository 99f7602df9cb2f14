//! The words of a fence.

use super::Word;

/// How far a fence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FencePhase {
    /// The node is condemned; its death is being proved.
    Proving,
    /// Its death is proved; its VMs are given other nodes.
    Recovering,
    /// Every VM is settled.
    Finished,
    /// It was alive after all.
    Withdrawn,
}

/// Where evidence of a node's death comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKind {
    /// Its BMC was told to switch it off and says twice that it is off.
    Ipmi,
    /// Its storage clients are on Ceph's blocklist.
    Storage,
    /// Its lease has run out.
    Watchdog,
    /// A person has seen to it.
    Operator,
    /// Its host has booted again.
    Reboot,
}

/// What evidence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It proves the node dead, for what it covers.
    Proved,
    /// It could not be had; it is tried again.
    Failed,
}

/// Who keeps a node's promise to end in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseKind {
    /// A watchdog device, which acts although everything else hangs.
    Device,
    /// The node's own daemon.
    Suicide,
}

impl Word for FencePhase {
    const KIND: &'static str = "phase of a fence";
    const ALL: &'static [Self] =
        &[Self::Proving, Self::Recovering, Self::Finished, Self::Withdrawn];

    fn text(self) -> &'static str {
        match self {
            Self::Proving => "proving",
            Self::Recovering => "recovering",
            Self::Finished => "finished",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Word for EvidenceKind {
    const KIND: &'static str = "kind of evidence";
    const ALL: &'static [Self] =
        &[Self::Ipmi, Self::Storage, Self::Watchdog, Self::Operator, Self::Reboot];

    fn text(self) -> &'static str {
        match self {
            Self::Ipmi => "ipmi",
            Self::Storage => "storage",
            Self::Watchdog => "watchdog",
            Self::Operator => "operator",
            Self::Reboot => "reboot",
        }
    }
}

impl Word for Verdict {
    const KIND: &'static str = "verdict";
    const ALL: &'static [Self] = &[Self::Proved, Self::Failed];

    fn text(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Failed => "failed",
        }
    }
}

impl Word for LeaseKind {
    const KIND: &'static str = "kind of lease";
    const ALL: &'static [Self] = &[Self::Device, Self::Suicide];

    fn text(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Suicide => "suicide",
        }
    }
}
