//! A VM as the tree holds it.

use super::{Attachment, Resources, VmDetails, VmFunction, VmInterface};
use crate::id::{NodeName, VmName};
use crate::state::{MigrationMethod, Selector, VmState};
use crate::zk::Seen;

/// Who may be running a VM.
///
/// `node` says where a VM *should* run; the claim says who *may be* running it. A node creates
/// it before it starts QEMU and removes it once QEMU is gone, so a VM without a claim runs
/// nowhere, and nobody but the holder (and, in a live migration, `incoming`) may have a QEMU
/// process of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The node that may be running the VM and alone may change the claim.
    pub holder: NodeName,
    /// The target of a live migration under way: QEMU may have switched over to it already.
    pub incoming: Option<NodeName>,
    /// Whether the holder was given the VM at the end of a migration and has not said itself that
    /// it knows: it may be running in a boot of which its daemon has told nobody.
    pub arriving: bool,
}

impl Claim {
    /// The claim of a node that says itself that it may be running the VM.
    #[must_use]
    pub const fn of(holder: NodeName) -> Self {
        Self { holder, incoming: None, arriving: false }
    }

    /// The claim of a node whose VM is on its way to another.
    #[must_use]
    pub const fn moving(holder: NodeName, to: NodeName) -> Self {
        Self { holder, incoming: Some(to), arriving: false }
    }

    /// The claim of a node that a migration has ended at.
    #[must_use]
    pub const fn arriving(holder: NodeName) -> Self {
        Self { holder, incoming: None, arriving: true }
    }
}

/// Where a migration came from: what is restored when it is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The node the VM ran on.
    pub node: NodeName,
    /// Its home at that time, if it was away.
    pub last_node: Option<NodeName>,
}

/// A VM as the tree holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vm {
    /// Unique name.
    pub name: Seen<VmName>,
    /// What it should be doing.
    pub state: Seen<VmState>,
    /// Where it should run.
    pub node: Seen<Option<NodeName>>,
    /// Its home while it is away.
    pub last_node: Seen<Option<NodeName>>,
    /// Who may be running it.
    pub claim: Seen<Claim>,
    /// Where a migration under way came from.
    pub migrate_origin: Seen<Option<Origin>>,
    /// The dead node it was taken from while no other could take it.
    pub displaced: Seen<Option<NodeName>>,
    /// Why it is in state fail.
    pub failed_reason: Seen<String>,
    /// Whether it starts when its node becomes ready.
    pub autostart: Seen<bool>,
    /// How it may be moved.
    pub migration_method: Seen<Option<MigrationMethod>>,
    /// Longest stop in a live migration, in milliseconds.
    pub max_downtime_ms: Seen<u64>,
    /// By which measure its node is chosen.
    pub selector: Seen<Option<Selector>>,
    /// The nodes it may run on; none means any.
    pub node_limit: Seen<Vec<NodeName>>,
    /// Its needs, once its definition has been read; `None` before, or if that is no domain.
    pub resources: Option<Resources>,
    /// The functions of cards that its definition names.
    pub functions: Vec<VmFunction>,
    /// The interfaces in networks of VMs that its definition names.
    pub interfaces: Vec<VmInterface>,
    /// What people are shown of it; `None` where that was not asked for, or is not there.
    pub details: Option<Box<VmDetails>>,
}

impl Vm {
    /// Whether hardware of its node is handed to it, with which it cannot move live.
    #[must_use]
    pub fn has_hardware(&self) -> bool {
        self.functions.iter().any(|function| function.attachment == Attachment::Hostdev)
    }
}
