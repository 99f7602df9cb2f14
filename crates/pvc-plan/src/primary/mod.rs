//! Who is primary, and how the part passes from one coordinator to another.
//!
//! `/config/primary_node` names who is or shall be primary; each coordinator's own state says
//! how far it is. Both are values that every side reads, so the hand-over is a conversation of
//! states, not of locks and sleeps, and may be interrupted anywhere:
//!
//! ```text
//!                       named                 nobody else holds it;
//!                                             the outfit is taken up
//!   secondary ─────────────────▶ takeover ──────────────────────▶ primary
//!       ▲                           │ another named, or nobody       │
//!       │ the outfit is laid down   ▼                                │
//!       └──────────────────── relinquish ◀───────────────────────────┘
//! ```
//!
//! Invariant: a coordinator takes the addresses only when every other one that could hold them
//! is secondary or proved dead. A daemon that stopped without letting go still has them; one that
//! is out of touch with the others lays them down before anybody can prove it dead.
//!
//! An open seat is taken by writing one's own name over the version that was seen open: of all
//! that stand at once, exactly one succeeds, and none needs a second round.

mod outfit;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::model::Node;
use pvc_common::state::{CoordinatorState, DaemonState};
use pvc_common::view::View;
use pvc_common::zk::{Op, key};

pub use outfit::{Held, Holding, Phase};

use crate::fence::{self, Fate};

/// How long a coordinator may have floating addresses after it asked for the last time what most
/// of the ensemble has confirmed: that it still has its part.
///
/// Others declare a node dead after they have heard nothing of it for 2.5 s at the least, and
/// prove it after that, so it has let go before anybody else may take. Half of a session (5 s)
/// would be too long for that. Not shorter: an ensemble that elects a new leader answers nobody
/// for a second or so.
pub const TOUCH: Duration = Duration::from_secs(2);

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

/// One step of a plan. Each is idempotent; the executor stops at the first that fails and must
/// not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One atomic transaction on the tree.
    Write {
        /// What it is for.
        goal: Goal,
        /// Its operations.
        ops: Vec<Op>,
    },
    /// Have every part of this phase here.
    TakeUp(Phase),
    /// Have no part of this phase here.
    LayDown(Phase),
}

impl Step {
    /// Whether nothing that follows in the plan may be done unless this succeeded.
    ///
    /// Addresses that are still held must not be called given up. Everything else that fails is
    /// reported and tried again, but keeps nobody from being primary.
    #[must_use]
    pub const fn must_succeed(&self) -> bool {
        match self {
            Self::Write { .. } | Self::LayDown(Phase::Addresses) => true,
            Self::LayDown(Phase::Leader | Phase::Services) | Self::TakeUp(_) => false,
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
    /// What of a primary's outfit this node has now.
    pub held: Held,
    /// How long ago it asked what most of the ensemble last confirmed: that it has its part.
    pub silence: Duration,
}

/// What to do now; only a change, or the silence of the ensemble, can alter it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// The coordinator that is waited for.
    pub waiting_for: Option<NodeName>,
    /// Whether the addresses are, or stay, laid down because nobody is heard.
    pub out_of_touch: bool,
}

impl Plan {
    fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }
}

/// Decides the next steps of this coordinator.
#[must_use]
pub fn plan(s: &Situation<'_>) -> Plan {
    let Some(own) = s.view.nodes.get(s.me) else { return Plan::default() };
    let named = s.view.cluster.primary_node.get().and_then(Option::as_ref);
    if s.silence >= TOUCH && s.held.addresses.any {
        return Plan { out_of_touch: true, ..Plan::of([Step::LayDown(Phase::Addresses)]) };
    }
    // Whoever proves a condemned node dead gives its part to another at that very moment, whatever
    // this node, which has perhaps just booted, sees of it by then: it holds nothing till its fate
    // is settled.
    if fence::fate(own) == Fate::Condemned {
        return secondary(s);
    }
    match (own.coordinator_state.copied(), named == Some(s.me)) {
        (Some(CoordinatorState::Client) | None, _) => Plan::default(),
        // One that is condemned or proved dead holds nothing, whoever named it: the others count
        // on that, and take the seat.
        (Some(CoordinatorState::Secondary), true)
            if own.daemon_state.copied() == Some(DaemonState::Run) =>
        {
            let mut plan = secondary(s);
            plan.steps.push(turn(s, own, Goal::TakeOver, CoordinatorState::Takeover));
            plan
        }
        (Some(CoordinatorState::Secondary), true | false) => stand(s, own, secondary(s)),
        // The view may be as old as the silence: another may be primary by now.
        (Some(CoordinatorState::Takeover | CoordinatorState::Primary), true)
            if s.silence >= TOUCH =>
        {
            Plan { out_of_touch: true, ..Plan::default() }
        }
        // It need not have become primary first.
        (Some(CoordinatorState::Takeover | CoordinatorState::Primary), true)
            if own.daemon_state.copied() == Some(DaemonState::Shutdown) =>
        {
            resign(s)
        }
        (Some(CoordinatorState::Takeover), true) => take_over(s, own),
        (Some(CoordinatorState::Primary), true) => primary(s),
        (Some(CoordinatorState::Takeover | CoordinatorState::Primary), false) => {
            Plan::of([turn(s, own, Goal::Relinquish, CoordinatorState::Relinquish)])
        }
        // Also when named again meanwhile: it gives up first, and takes over from secondary.
        (Some(CoordinatorState::Relinquish), _) => {
            let down = Phase::DOWN.map(Step::LayDown).into_iter();
            let retire = turn(s, own, Goal::Retire, CoordinatorState::Secondary);
            Plan::of(down.chain([retire]))
        }
    }
}

/// Not primary, or not allowed to be: cleans up after a crash. No part is handed over in order
/// any more, and another may be primary already: so the addresses, which only one may have, go
/// first, and wait for no service that is slow to stop.
fn secondary(s: &Situation<'_>) -> Plan {
    let left = Phase::UP.into_iter().filter(|phase| s.held.of(*phase).any);
    Plan::of(left.map(Step::LayDown))
}

/// Takes the seat if it is open.
fn stand(s: &Situation<'_>, own: &Node, mut plan: Plan) -> Plan {
    if own.daemon_state.copied() == Some(DaemonState::Run) && seat_is_open(s.view) {
        let seat = &s.view.cluster.primary_node;
        let ops = vec![key::primary_node().put(seat, &Some(s.me.clone()))];
        plan.steps.push(Step::Write { goal: Goal::Stand, ops });
    }
    plan
}

fn take_over(s: &Situation<'_>, own: &Node) -> Plan {
    match s.view.nodes.iter().find(|(name, node)| *name != s.me && may_hold(node)) {
        Some((holder, _)) => Plan { waiting_for: Some(holder.clone()), ..Plan::default() },
        None => Plan::of([
            Step::TakeUp(Phase::Addresses),
            turn(s, own, Goal::Reign, CoordinatorState::Primary),
            Step::TakeUp(Phase::Leader),
            Step::TakeUp(Phase::Services),
        ]),
    }
}

/// A daemon that stops in order opens its seat first.
fn resign(s: &Situation<'_>) -> Plan {
    let ops = vec![key::primary_node().put(&s.view.cluster.primary_node, &None)];
    Plan::of([Step::Write { goal: Goal::Resign, ops }])
}

/// Holds what a primary holds.
fn primary(s: &Situation<'_>) -> Plan {
    let missing = Phase::UP.into_iter().filter(|phase| !s.held.of(*phase).all);
    Plan::of(missing.map(Step::TakeUp))
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
