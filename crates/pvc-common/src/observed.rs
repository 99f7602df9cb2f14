//! What this machine was seen to be.

mod firewall;
mod link;
mod replication;
mod sriov;
mod storage;

pub use firewall::FirewallTable;
pub use link::{LinkKind, Tunnel};
pub use replication::{Member, Replication};
pub use sriov::{Card, CardFunction, FoundSettings, FunctionDevice, SriovTable, VfSetting};
pub use storage::{
    BlockDevice, FoundOsd, Machine, MappedOsd, NewOsds, OsdMap, Safety, VolumeGroup,
};

use crate::id::{VmName, VmUuid};
use crate::unit::{Mib, Vcpus};

/// What libvirt says of one VM on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedVm {
    /// Its UUID.
    pub uuid: VmUuid,
    /// Its name in libvirt.
    pub name: VmName,
    /// What its QEMU process is doing.
    pub run: RunState,
    /// Memory it has now.
    pub memory: Mib,
    /// Virtual processors it has now.
    pub vcpus: Vcpus,
}

/// What the QEMU process of a VM is doing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Executing (or idle, or in the midst of an orderly shutdown).
    Running,
    /// Stopped for a moment: by a person, an I/O error, or a save.
    Paused,
    /// Receiving the VM from another node: not executing yet.
    Incoming,
    /// Handed over to another node by a live migration, not yet cleaned up.
    Outgone,
    /// Crashed and kept for inspection: not executing any more.
    Crashed,
}

impl RunState {
    /// Whether this QEMU may execute the guest, now or when resumed.
    #[must_use]
    pub const fn may_execute(self) -> bool {
        match self {
            Self::Running | Self::Paused => true,
            Self::Incoming | Self::Outgone | Self::Crashed => false,
        }
    }
}
