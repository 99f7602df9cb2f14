//! A node is dead: noticed, proved, and its VMs given other nodes.
//!
//! Every coordinator plans from what it sees; the fence of a node is one record in the tree.
//! Whoever works on it writes its own name there, over the version it read, so there is one author
//! at a time and no lock: when the author dies, another writes its name and goes on where the
//! record stands.
//!
//! ```text
//!              condemn                 prove                      finish
//!   (none) ───────────────▶ proving ───────────▶ recovering ───────────────▶ finished
//!   run                     dead │               fenced, its VMs           fenced, flushed
//!                                │ heard again   are given away
//!                                ▼
//!                            withdrawn (run)
//! ```
//!
//! Invariants:
//! - A node is condemned only when more than half of its observers suspect it at that very
//!   moment, and it has not written a keepalive since; never when half of the cluster looks dead.
//! - A claim leaves a dead node only in a transaction that states the record's version, and only
//!   once evidence covers the VM: see [`Coverage`].
//! - Nothing is proved while the node is heard.
//! - A record ends only when no claim names the node any more.

mod agree;
mod condemn;
mod displaced;
mod evidence;
mod finish;
mod osds;
mod prove;
mod recover;
mod sight;
mod step;
mod targets;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use agree::{Accused, Agreement};
pub use evidence::{Coverage, Found, Job, Jobs};
pub use sight::Sight;
pub use step::{Goal, Note, Plan, Step};
use targets::Targets;

use pvc_common::id::NodeName;
use pvc_common::model::Node;
use pvc_common::state::{DaemonState, FencePhase};
use pvc_common::view::View;
use pvc_common::zk::Seen;

/// What the storage fence is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFence {
    /// It proves the death of a node for VMs all of whose disks are RBD volumes.
    Suffices,
    /// It is demanded, and wants the company of another proof.
    Required,
    /// It is not applied: there is no Ceph, or nobody wants it.
    Off,
}

/// What becomes of a dead node's VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFence {
    /// They are started elsewhere.
    Migrate,
    /// They stay assigned to it.
    Nothing,
}

/// What a cluster's administrators have decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether nodes are fenced for their silence at all; people's orders are always followed.
    pub enabled: bool,
    /// Whether nodes that answer probes are judged by them.
    pub mesh: bool,
    /// Silence of the keepalive after which a node is condemned that answers no probes by design.
    pub keepalive_silence: Duration,
    /// How long most observers must agree before a node is condemned. Together with the
    /// observers' patience it is longer than any pause that a living node may make.
    pub confirm: Duration,
    /// Whether BMCs are used.
    pub ipmi: bool,
    /// What the storage fence is worth.
    pub storage: StorageFence,
    /// Whether the end of a lease that a watchdog device keeps is proof.
    pub watchdog: bool,
    /// Once a node's death is proved.
    pub successful: AfterFence,
    /// When no other proof than the node's own promise to switch itself off can be had.
    pub failed: AfterFence,
    /// Whether a node whose BMC switched it off is switched on again once it is settled.
    pub power_on: bool,
    /// Of how many nodes fences may begin within [`Policy::storm_window`]; `None`: of a quarter,
    /// two at least.
    pub storm_cap: Option<usize>,
    /// See [`Policy::storm_cap`].
    pub storm_window: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            mesh: true,
            keepalive_silence: Duration::from_secs(30),
            confirm: Duration::from_millis(1_500),
            ipmi: true,
            storage: StorageFence::Suffices,
            watchdog: true,
            successful: AfterFence::Migrate,
            failed: AfterFence::Nothing,
            power_on: true,
            storm_cap: None,
            storm_window: Duration::from_secs(120),
        }
    }
}

/// Everything the decisions of a coordinator about dead nodes read.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// This coordinator.
    pub me: &'a NodeName,
    /// The tree.
    pub view: &'a View,
    /// What this coordinator remembers of it, brought up to date with this very view.
    pub sight: &'a Sight,
    /// What is wanted.
    pub policy: &'a Policy,
    /// The evidence that is being gathered, or was.
    pub jobs: &'a Jobs,
    /// This node's monotonic time.
    pub now: Instant,
    /// UNIX milliseconds by this node's clock, for people.
    pub wall_ms: u64,
}

/// Decides what this coordinator does about dead nodes now.
#[must_use]
pub fn plan(s: &Situation<'_>) -> Plan {
    let mut plan = Plan::default();
    let own = s.view.nodes.get(s.me);
    let serves = own.is_some_and(|own| own.daemon_state.copied() == Some(DaemonState::Run));
    let agreement = s.sight.agreement();
    // Who is not heard by most has no say over others; nor has one that does not serve, or whose
    // view may be old: a fence that others have ended since must not cut anybody's power.
    if !serves || !s.sight.is_live() || agreement.is_accused(s.me) {
        return plan;
    }
    let bench = agree::bench(s.view, agreement);
    let Some(rank) = bench.iter().position(|name| *name == s.me) else { return plan };
    let mut targets = Targets::new(s.view, agreement);
    for (name, node) in &s.view.nodes {
        match &node.liveness.fence {
            Seen::Value { value: fence, .. } if fence.by == *s.me => {
                osds::plan(s, name, node, fence, &mut plan);
                match fence.phase {
                    FencePhase::Proving => prove::plan(s, name, node, fence, &mut plan),
                    FencePhase::Recovering => {
                        recover::plan(s, name, node, fence, &mut targets, &mut plan)
                    }
                    // Neither is ever written into a node's own record.
                    FencePhase::Finished | FencePhase::Withdrawn => {}
                }
            }
            Seen::Value { value: fence, .. } => {
                let stuck = s.sight.stuck_at(name, rank);
                let absent = !bench.contains(&&fence.by);
                if (absent && rank == 0) || stuck.is_some_and(|at| at <= s.now) {
                    plan.steps.push(prove::take_over(s, name, node, fence));
                } else {
                    plan.wake(stuck);
                }
            }
            Seen::Bad { .. } => plan.notes.push(Note::RecordUnreadable { node: name.clone() }),
            Seen::Absent => {}
        }
    }
    condemn::plan(s, rank, &mut plan);
    if rank == 0 {
        displaced::plan(s, &mut targets, &mut plan);
    }
    plan
}

/// Whether a node may say that it serves, and start VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing is held against it.
    Free,
    /// It is condemned: it waits until its claims are settled, or the fence is withdrawn.
    Condemned,
}

/// What a node reads of itself before it says that it serves.
#[must_use]
pub const fn fate(own: &Node) -> Fate {
    match own.liveness.fence {
        Seen::Absent => Fate::Free,
        Seen::Value { .. } | Seen::Bad { .. } => Fate::Condemned,
    }
}
