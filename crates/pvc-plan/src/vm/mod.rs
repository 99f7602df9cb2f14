//! One VM on this node: run it, end it, send it elsewhere, take it over.
//!
//! Every node plans for every VM; the claim says whose turn it is.
//!
//! ```text
//!            claim (create)          start
//!   nobody ───────────────▶ {me} ───────────▶ {me}, running
//!     ▲                      │ ▲                  │ depart
//!     │ release (gone, and   │ │ stay (failed)    ▼
//!     └──────not wanted)─────┘ └──────────── {me, incoming: to}, running
//!                                                 │ hand over (gone)
//!                                                 ▼
//!                                               {to}
//! ```
//!
//! Invariants:
//! - QEMU is started only after a transaction that proves the claim to be this node's.
//! - The claim leaves this node only after QEMU is seen to be gone here.
//! - Before a live migration begins, the claim names its target: whoever finds the claim after
//!   a crash knows the one other place where the VM may be running.
//!
//! Levels, not edges: nothing here depends on which change led to the activation, so a daemon
//! that was killed between any two steps continues from what it finds.

mod memory;
mod mine;
mod step;
mod writes;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use memory::{Memory, Outcome};
pub use step::{Goal, Note, Plan, Step};

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::Vm;
use pvc_common::observed::RunState;
use pvc_common::state::{DaemonState, VmState};
use pvc_common::zk::{Expected, Seen};

/// What libvirt on this node says of the VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Here {
    /// Libvirt does not answer: nothing may be concluded.
    Unknown,
    /// There is no QEMU process of it here.
    Absent,
    /// There is one, and this is what it does.
    Present(RunState),
}

/// A long action under way for the VM, owned by the executor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// QEMU is being started.
    Start,
    /// The guest is being asked to shut down.
    AskShutdown,
    /// QEMU is being ended.
    Destroy,
    /// The VM is being sent to another node.
    Migrate {
        /// Where it is going.
        to: NodeName,
    },
}

/// How long libvirt, while it answers, may be at a start that nobody waits for before it shows the
/// VM. Until then the VM's absence says nothing.
pub const UNSEEN: Duration = Duration::from_secs(60);

/// Whether the node on which a VM should be can take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// It serves.
    Serves,
    /// Its daemon is coming up, as after a restart: it will serve soon, or be found dead.
    Starting,
    /// It does not serve.
    Away,
    /// It is condemned, or proved dead: nothing that goes there arrives.
    Dead,
}

/// Which wish of the tree something was done for: what is remembered of one wish says nothing
/// of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wish {
    state: Expected,
    node: Expected,
}

/// Everything a decision about one VM reads.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// This node.
    pub me: &'a NodeName,
    /// Which VM.
    pub uuid: VmUuid,
    /// The VM as the tree has it.
    pub vm: &'a Vm,
    /// The VM as libvirt has it.
    pub here: Here,
    /// Whether libvirt is sending it elsewhere, with or without a job of ours.
    pub migrating: bool,
    /// The action under way.
    pub job: Option<&'a Job>,
    /// What this daemon remembers of it.
    pub memory: &'a Memory,
    /// Whether this node may start VMs now: its session is alive and it is in state run.
    pub may_start: bool,
    /// This node's own state, by which that was decided: a start fails if it has changed, for
    /// then the node may be condemned.
    pub own_state: &'a Seen<DaemonState>,
    /// The node the VM shall move to.
    pub target: Target,
    /// How long a guest may take to shut down before it is cut off.
    pub shutdown_timeout: Duration,
    /// This node's monotonic time.
    pub now: Instant,
}

/// Decides what to do for one VM.
#[must_use]
pub fn plan(s: &Situation<'_>) -> Plan {
    if s.here == Here::Unknown {
        return Plan::note(Note::LibvirtSilent);
    }
    match &s.vm.claim {
        Seen::Bad { .. } => Plan::note(Note::ClaimUnreadable),
        Seen::Absent => unclaimed(s),
        Seen::Value { value: claim, .. } if claim.holder == *s.me => mine::plan(s, claim),
        Seen::Value { value: claim, .. } => foreign(s, claim.incoming.as_ref() == Some(s.me)),
    }
}

/// Nobody holds the VM: it runs nowhere, or was started by upstream's daemon.
fn unclaimed(s: &Situation<'_>) -> Plan {
    if s.job.is_some() {
        return Plan::nothing();
    }
    match s.here {
        Here::Present(run) if run.may_execute() || run == RunState::Crashed => {
            Plan::steps([writes::adopt(s)])
        }
        Here::Present(_) | Here::Unknown => Plan::nothing(),
        Here::Absent if s.assigned_here() => match s.state() {
            Some(VmState::Start) => mine::start(s, writes::claim(s)),
            Some(
                VmState::Restart | VmState::Migrate | VmState::MigrateLive | VmState::Unmigrate,
            ) => Plan::steps([writes::state(s, VmState::Start)]),
            Some(VmState::Shutdown) => Plan::steps([writes::state(s, VmState::Stop)]),
            Some(
                VmState::Stop
                | VmState::Disable
                | VmState::Fail
                | VmState::Provision
                | VmState::Import
                | VmState::Restore
                | VmState::Mirror
                | VmState::Delete,
            ) => Plan::nothing(),
            None => Plan::note(Note::StateUnreadable),
        },
        Here::Absent => Plan::nothing(),
    }
}

/// Another node holds the VM.
fn foreign(s: &Situation<'_>, coming_here: bool) -> Plan {
    // The source hands it over once QEMU is gone there; until then it is not ours.
    if coming_here || s.job.is_some() {
        return Plan::nothing();
    }
    match s.here {
        // Proved by a transaction first: the view may lag behind a hand-over to this node.
        Here::Present(run) if run.may_execute() || run == RunState::Crashed => {
            Plan::steps([writes::confirm(s), Step::Destroy]).with(Note::ClaimedElsewhere)
        }
        Here::Present(_) | Here::Absent | Here::Unknown => Plan::nothing(),
    }
}

impl Situation<'_> {
    /// The wish that a job begun now is for.
    #[must_use]
    pub const fn wish(&self) -> Wish {
        Wish { state: self.vm.state.expected(), node: self.vm.node.expected() }
    }

    fn state(&self) -> Option<VmState> {
        self.vm.state.copied()
    }

    /// The node on which the VM should be; `None` while unknown.
    fn node(&self) -> Option<&NodeName> {
        self.vm.node.get().and_then(Option::as_ref)
    }

    fn assigned_here(&self) -> bool {
        self.node() == Some(self.me)
    }

    /// The other node on which the VM should be.
    fn elsewhere(&self) -> Option<&NodeName> {
        self.node().filter(|node| *node != self.me)
    }
}
