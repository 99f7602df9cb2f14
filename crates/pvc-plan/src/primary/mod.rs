//! Who is primary, and how the part passes from one coordinator to another.
//!
//! `/config/primary_node` names who is or shall be primary; each coordinator's own state says
//! how far it is. Both are values that every side reads, so the hand-over is a conversation of
//! states, not of locks and sleeps, and may be interrupted anywhere:
//!
//! ```text
//!                       named                 nobody else holds it;
//!                                             addresses and services up
//!   secondary ─────────────────▶ takeover ──────────────────────▶ primary
//!       ▲                           │ another named, or nobody       │
//!       │ services and addresses    ▼                                │
//!       └──────────────────── relinquish ◀───────────────────────────┘
//! ```
//!
//! Invariant: a coordinator takes the addresses only when every other one that could hold them
//! is secondary or proved dead. A daemon that stopped without letting go still has them.
//!
//! An open seat is taken by writing one's own name over the version that was seen open: of all
//! that stand at once, exactly one succeeds, and none needs a second round.

#[cfg(test)]
mod tests;

use std::fmt;

use pvc_common::id::NodeName;
use pvc_common::model::Node;
use pvc_common::state::{CoordinatorState, DaemonState};
use pvc_common::view::View;
use pvc_common::zk::{Op, key};

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Take the open seat.
    Stand,
    /// Open the seat, for its holder is going away.
    Resign,
    /// Begin to become primary.
    TakeOver,
    /// Be primary.
    Reign,
    /// Begin to cease to be primary.
    Relinquish,
    /// Be secondary.
    Retire,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stand => "take the open seat of the primary",
            Self::Resign => "open the seat of the primary",
            Self::TakeOver => "begin to take over",
            Self::Reign => "be primary",
            Self::Relinquish => "begin to relinquish",
            Self::Retire => "be secondary",
        })
    }
}

/// One step of a plan. Each is idempotent; the executor stops at the first that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One atomic transaction on the tree.
    Write {
        /// What it is for.
        goal: Goal,
        /// Its operations.
        ops: Vec<Op>,
    },
    /// Hold the floating addresses and announce them.
    AcquireAddresses,
    /// Give the floating addresses up.
    DropAddresses,
    /// Run the services of the primary: the API daemon.
    StartServices,
    /// End the services of the primary.
    StopServices,
}

impl Step {
    /// Whether nothing that follows in the plan may be done unless this succeeded.
    ///
    /// Addresses that are still held must not be called given up. Everything else that fails is
    /// reported and tried again, but keeps nobody from being primary.
    #[must_use]
    pub const fn must_succeed(&self) -> bool {
        match self {
            Self::Write { .. } | Self::DropAddresses => true,
            Self::AcquireAddresses | Self::StartServices | Self::StopServices => false,
        }
    }
}

/// Everything a decision about the primary reads.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// This node, a coordinator.
    pub me: &'a NodeName,
    /// The tree.
    pub view: &'a View,
    /// Whether this node has any of the floating addresses now.
    pub has_addresses: bool,
    /// Whether this node has all of the floating addresses now.
    pub has_all_addresses: bool,
    /// Whether any of the primary's services runs here now.
    pub has_services: bool,
    /// Whether all of the primary's services run here now.
    pub has_all_services: bool,
}

/// What to do now; only a change can alter it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// The coordinator that is waited for.
    pub waiting_for: Option<NodeName>,
}

impl Plan {
    fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), waiting_for: None }
    }
}

/// Decides the next steps of this coordinator.
#[must_use]
pub fn plan(s: &Situation<'_>) -> Plan {
    let Some(own) = s.view.nodes.get(s.me) else { return Plan::default() };
    let named = s.view.cluster.primary_node.get().and_then(Option::as_ref);
    match (own.coordinator_state.copied(), named == Some(s.me)) {
        (Some(CoordinatorState::Client) | None, _) => Plan::default(),
        // One that is condemned or proved dead holds nothing, whoever named it: the others count
        // on that, and take the seat.
        (Some(CoordinatorState::Secondary), true)
            if own.daemon_state.copied() == Some(DaemonState::Run) =>
        {
            Plan::of([turn(s, own, Goal::TakeOver, CoordinatorState::Takeover)])
        }
        (Some(CoordinatorState::Secondary), true | false) => secondary(s, own),
        (Some(CoordinatorState::Takeover), true) => take_over(s, own),
        (Some(CoordinatorState::Primary), true) => primary(s, own),
        (Some(CoordinatorState::Takeover | CoordinatorState::Primary), false) => {
            Plan::of([turn(s, own, Goal::Relinquish, CoordinatorState::Relinquish)])
        }
        // Also when named again meanwhile: it gives up first, and takes over from secondary.
        (Some(CoordinatorState::Relinquish), _) => Plan::of([
            Step::StopServices,
            Step::DropAddresses,
            turn(s, own, Goal::Retire, CoordinatorState::Secondary),
        ]),
    }
}

/// Not primary and not named: cleans up after a crash, and stands if the seat is open.
fn secondary(s: &Situation<'_>, own: &Node) -> Plan {
    let mut steps = Vec::new();
    if s.has_services {
        steps.push(Step::StopServices);
    }
    if s.has_addresses {
        steps.push(Step::DropAddresses);
    }
    if own.daemon_state.copied() == Some(DaemonState::Run) && seat_is_open(s.view) {
        let seat = &s.view.cluster.primary_node;
        let ops = vec![key::primary_node().put(seat, &Some(s.me.clone()))];
        steps.push(Step::Write { goal: Goal::Stand, ops });
    }
    Plan::of(steps)
}

fn take_over(s: &Situation<'_>, own: &Node) -> Plan {
    match s.view.nodes.iter().find(|(name, node)| *name != s.me && may_hold(node)) {
        Some((holder, _)) => Plan { steps: vec![], waiting_for: Some(holder.clone()) },
        None => Plan::of([
            Step::AcquireAddresses,
            turn(s, own, Goal::Reign, CoordinatorState::Primary),
            Step::StartServices,
        ]),
    }
}

/// Holds what a primary holds; a daemon that stops in order opens its seat first.
fn primary(s: &Situation<'_>, own: &Node) -> Plan {
    if own.daemon_state.copied() == Some(DaemonState::Shutdown) {
        let ops = vec![key::primary_node().put(&s.view.cluster.primary_node, &None)];
        return Plan::of([Step::Write { goal: Goal::Resign, ops }]);
    }
    let mut steps = Vec::new();
    if !s.has_all_addresses {
        steps.push(Step::AcquireAddresses);
    }
    if !s.has_all_services {
        steps.push(Step::StartServices);
    }
    Plan::of(steps)
}

fn turn(s: &Situation<'_>, own: &Node, goal: Goal, to: CoordinatorState) -> Step {
    let state = key::node_coordinator_state(s.me).put(&own.coordinator_state, &to);
    // Named or not is what was decided on: the turn fails if that changed meanwhile.
    let seat = key::primary_node().check(&s.view.cluster.primary_node);
    let seat = seat.filter(|_| goal != Goal::Retire);
    Step::Write { goal, ops: std::iter::once(state).chain(seat).collect() }
}

/// Nobody is named, or the one who is has stopped in order or is proved dead.
fn seat_is_open(view: &View) -> bool {
    match view.cluster.primary_node.get() {
        None | Some(None) => view.cluster.primary_node.fault().is_none(),
        Some(Some(holder)) => match view.nodes.get(holder) {
            Some(node) => gone(node),
            // A name that is no node of this cluster can never serve.
            None => true,
        },
    }
}

fn gone(node: &Node) -> bool {
    match node.daemon_state.copied() {
        Some(DaemonState::Stop | DaemonState::Fenced) => true,
        Some(DaemonState::Init | DaemonState::Run | DaemonState::Shutdown | DaemonState::Dead)
        | None => false,
    }
}

/// Whether a node may still have the floating addresses.
fn may_hold(node: &Node) -> bool {
    let holding = match node.coordinator_state.copied() {
        Some(
            CoordinatorState::Takeover | CoordinatorState::Primary | CoordinatorState::Relinquish,
        ) => true,
        Some(CoordinatorState::Secondary | CoordinatorState::Client) | None => false,
    };
    holding && node.daemon_state.copied() != Some(DaemonState::Fenced)
}
