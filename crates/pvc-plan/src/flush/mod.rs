//! A node leaves service (flush) and returns to it (unflush).
//!
//! ```text
//!  ready ──▶ flush ──▶ flushed ──▶ unflush ──▶ ready
//!    ▲─────────┴─── reversed at any time ──────┘
//! ```
//!
//! Both only change wishes: the claim's holder carries them out, and a wish that is taken back
//! in mid-migration aborts it. Every wish is guarded by the version of the node's own domain
//! state, so that none is written once a person has changed their mind. A bounded number of
//! VMs is under way at once, and the view is the only memory of it.

mod leave;
mod ret;
mod wish;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Node, Vm};
use pvc_common::state::{DomainState, VmState};
use pvc_common::view::View;
use pvc_common::zk::Op;

use crate::place::NoNode;

/// How many VMs are under way at once. Live migrations share one link and two libvirts.
pub const PARALLEL: usize = 4;

/// What a transaction is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Send a VM to another node, to come back later.
    SendAway {
        /// Which.
        vm: VmUuid,
        /// Where.
        to: NodeName,
    },
    /// Shut a VM down that no other node can take, to start it later.
    ShutDown {
        /// Which.
        vm: VmUuid,
        /// Why.
        why: NoNode,
    },
    /// Fetch a VM home.
    Fetch {
        /// Which.
        vm: VmUuid,
    },
    /// Start a VM that waited for this node.
    Start {
        /// Which.
        vm: VmUuid,
    },
    /// The node is empty.
    Flushed,
    /// The node is in service.
    Ready,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SendAway { vm, to } => write!(f, "send VM {vm} to {to}"),
            Self::ShutDown { vm, why } => write!(f, "shut VM {vm} down: {why}"),
            Self::Fetch { vm } => write!(f, "fetch VM {vm} home"),
            Self::Start { vm } => write!(f, "start VM {vm}, which waited for this node"),
            Self::Flushed => f.write_str("be flushed"),
            Self::Ready => f.write_str("be ready"),
        }
    }
}

/// One atomic transaction, independent of the others of its plan; those that send VMs to the same
/// node rest on each other, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What it is for.
    pub goal: Goal,
    /// Its operations.
    pub ops: Vec<Op>,
}

/// Whether it is time to ask a VM to come or go, which the executor knows who has asked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may be asked.
    Now,
    /// It was asked a moment ago, and did not come or go.
    Later,
    /// It was asked often enough: an unflush ends without it.
    Never,
}

/// What to do now; only a change can alter it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// One that is superseded does not stop the rest; those that rested on it are superseded, too.
    pub writes: Vec<Write>,
    /// The VMs that still have to come or go.
    pub remaining: BTreeSet<VmUuid>,
}

/// Decides the next writes of this node's own flush or unflush.
///
/// `turn` says when a VM may be sent away or fetched: a VM whose migration fails must not be
/// asked again and again without a pause.
#[must_use]
pub fn plan(me: &NodeName, view: &View, turn: impl Fn(VmUuid) -> Turn) -> Plan {
    let Some(own) = view.nodes.get(me) else { return Plan::default() };
    let desk = Desk { me, own, view };
    match own.domain_state.copied() {
        Some(DomainState::Flush) => leave::plan(desk, turn),
        Some(DomainState::Unflush) => ret::plan(desk, turn),
        Some(DomainState::Ready | DomainState::Flushed | DomainState::FenceFlush) | None => {
            Plan::default()
        }
    }
}

/// What every decision here reads.
#[derive(Clone, Copy)]
struct Desk<'a> {
    me: &'a NodeName,
    own: &'a Node,
    view: &'a View,
}

impl Desk<'_> {
    fn holds(&self, vm: &Vm) -> bool {
        vm.claim.get().is_some_and(|claim| claim.holder == *self.me)
    }

    fn assigned(&self, vm: &Vm) -> bool {
        self.is_me(vm.node.get())
    }

    fn at_home_here(&self, vm: &Vm) -> bool {
        self.is_me(vm.last_node.get())
    }

    fn is_me(&self, node: Option<&Option<NodeName>>) -> bool {
        node.and_then(Option::as_ref) == Some(self.me)
    }
}

/// Whether a VM in this state runs or is on its way to running.
const fn runs(state: VmState) -> bool {
    match state {
        VmState::Start
        | VmState::Restart
        | VmState::Migrate
        | VmState::MigrateLive
        | VmState::Unmigrate => true,
        VmState::Shutdown
        | VmState::Stop
        | VmState::Disable
        | VmState::Fail
        | VmState::Provision
        | VmState::Import
        | VmState::Restore
        | VmState::Mirror
        | VmState::Delete => false,
    }
}
