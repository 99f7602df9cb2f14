//! States and preferences of a VM.

use super::Word;

/// What a VM should be doing; the claim's holder makes it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VmState {
    /// Should run on its node.
    Start,
    /// Should be shut down in order and started again.
    Restart,
    /// Should be shut down in order; becomes [`VmState::Stop`].
    Shutdown,
    /// Should not run: is cut off at once.
    Stop,
    /// Should not run, by decision of a person, and is no fault.
    Disable,
    /// Could not be started; a person is needed.
    Fail,
    /// Should move to its node, live or by a shutdown as its method says.
    Migrate,
    /// Should move to its node, live or not at all.
    MigrateLive,
    /// Upstream's former word for a migration home; read as [`VmState::Migrate`].
    Unmigrate,
    /// Is being installed by the provisioner.
    Provision,
    /// Its volumes are being imported.
    Import,
    /// Its volumes are being restored.
    Restore,
    /// A stopped copy of a VM of another cluster.
    Mirror,
    /// Is being removed.
    Delete,
}

impl Word for VmState {
    const KIND: &'static str = "VM state";
    const ALL: &'static [Self] = &[
        Self::Start,
        Self::Restart,
        Self::Shutdown,
        Self::Stop,
        Self::Disable,
        Self::Fail,
        Self::Migrate,
        Self::MigrateLive,
        Self::Unmigrate,
        Self::Provision,
        Self::Import,
        Self::Restore,
        Self::Mirror,
        Self::Delete,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Shutdown => "shutdown",
            Self::Stop => "stop",
            Self::Disable => "disable",
            Self::Fail => "fail",
            Self::Migrate => "migrate",
            Self::MigrateLive => "migrate-live",
            Self::Unmigrate => "unmigrate",
            Self::Provision => "provision",
            Self::Import => "import",
            Self::Restore => "restore",
            Self::Mirror => "mirror",
            Self::Delete => "delete",
        }
    }
}

/// How a VM may be moved. Absent (`none` in the tree): live, falling back to a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MigrationMethod {
    /// Live or not at all.
    Live,
    /// By a shutdown here and a start there.
    Shutdown,
}

impl Word for MigrationMethod {
    const KIND: &'static str = "migration method";
    const ALL: &'static [Self] = &[Self::Live, Self::Shutdown];

    fn text(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shutdown => "shutdown",
        }
    }
}

/// By which measure a node is chosen for a VM. Absent (`none`): the cluster's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// The most free memory.
    Mem,
    /// The most memory not yet promised to any VM, running or not.
    MemProv,
    /// The fewest allocated virtual processors.
    Vcpus,
    /// The lowest load average.
    Load,
    /// The fewest VMs.
    Vms,
}

impl Word for Selector {
    const KIND: &'static str = "node selector";
    const ALL: &'static [Self] = &[Self::Mem, Self::MemProv, Self::Vcpus, Self::Load, Self::Vms];

    fn text(self) -> &'static str {
        match self {
            Self::Mem => "mem",
            Self::MemProv => "memprov",
            Self::Vcpus => "vcpus",
            Self::Load => "load",
            Self::Vms => "vms",
        }
    }
}
