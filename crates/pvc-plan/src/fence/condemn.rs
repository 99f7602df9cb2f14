//! Who is declared dead.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pvc_common::id::{FenceId, NodeName};
use pvc_common::model::{Fence, FenceOrder, Node};
use pvc_common::state::{DaemonState, FencePhase};
use pvc_common::zk::{Op, Seen, key};

use super::agree::answers_probes;
use super::step::{Goal, Note, Plan};
use super::{Situation, StorageFence};

/// How much later each further coordinator acts: the first one is through by then.
const APART: Duration = Duration::from_secs(1);

/// Below, a quarter of the cluster is too few: two nodes on one switch.
const LEAST_CAP: usize = 2;

pub(super) fn plan(s: &Situation<'_>, rank: usize, plan: &mut Plan) {
    let mut room = room(s);
    for (name, node) in &s.view.nodes {
        if name == s.me || node.liveness.fence != Seen::Absent {
            continue;
        }
        if let Some(why) = ordered(node) {
            if rank == 0 {
                plan.steps.push(condemn(s, name, node, s.now, why.to_owned()));
            }
            continue;
        }
        let Some(charge) = charge(s, name, node) else { continue };
        let due = charge.since + charge.hold + APART * u32::try_from(rank).unwrap_or(u32::MAX);
        if due > s.now {
            plan.wake(Some(due));
        } else if let Some(note) = spared(s, name, &mut room) {
            if !plan.notes.contains(&note) {
                plan.notes.push(note);
            }
        } else {
            plan.steps.push(condemn(s, name, node, charge.since, charge.why));
        }
    }
}

/// What a person ordered.
fn ordered(node: &Node) -> Option<&'static str> {
    match node.liveness.order.get()? {
        FenceOrder::Fence => Some("ordered by a person"),
        FenceOrder::ConfirmDead => Some("said to be dead by a person"),
    }
}

/// What is held against a node.
struct Charge {
    since: Instant,
    hold: Duration,
    why: String,
}

fn charge(s: &Situation<'_>, name: &NodeName, node: &Node) -> Option<Charge> {
    if !s.policy.enabled {
        return None;
    }
    let slow = match node.daemon_state.copied()? {
        DaemonState::Run | DaemonState::Shutdown => false,
        // A daemon that comes up answers probes before all else, but its host may still boot.
        DaemonState::Init => true,
        DaemonState::Stop | DaemonState::Dead | DaemonState::Fenced => return None,
    };
    if !s.policy.mesh || !answers_probes(node) || slow {
        let since = s.sight.keepalive_changed(name)?;
        let hold = s.policy.keepalive_silence;
        if slow && s.policy.mesh && answers_probes(node) && s.sight.agreed_since(name).is_none() {
            return None;
        }
        let why = format!("no keepalive for {} s", hold.as_secs());
        return Some(Charge { since, hold, why });
    }
    let since = s.sight.agreed_since(name)?;
    let accused = s.sight.agreement().accused(name)?;
    let by: Vec<&str> = accused.by.iter().map(NodeName::as_str).collect();
    let why = format!("suspected by {}", by.join(", "));
    Some(Charge { since, hold: s.policy.confirm, why })
}

/// How many more nodes may be condemned now, and why not more.
struct Room {
    silent: usize,
    of: usize,
    begun: BTreeSet<NodeName>,
    cap: usize,
}

fn room(s: &Situation<'_>) -> Room {
    let nodes = s.view.nodes.iter();
    // Who stopped in order, or is out of the cluster already, is not counted either way.
    let members: Vec<_> = nodes
        .filter(|(_, node)| match node.daemon_state.copied() {
            Some(
                DaemonState::Init | DaemonState::Run | DaemonState::Shutdown | DaemonState::Dead,
            ) => true,
            Some(DaemonState::Stop | DaemonState::Fenced) | None => {
                node.liveness.fence != Seen::Absent
            }
        })
        .collect();
    // Those who fall silent together are not found so in the same instant: the first must not be
    // condemned as if it were alone. One that rebuts its observers is not silent for so long.
    let silent = members.iter().filter(|(name, node)| {
        node.liveness.fence != Seen::Absent
            || node.daemon_state.copied() == Some(DaemonState::Dead)
            || charge(s, name, node).is_some_and(|charge| charge.since + charge.hold / 2 <= s.now)
    });
    let cap = s.policy.storm_cap.unwrap_or_else(|| (s.view.nodes.len() / 4).max(LEAST_CAP));
    let begun = s.sight.begun_within(s.policy.storm_window, s.now);
    Room { silent: silent.count(), of: members.len(), begun, cap }
}

/// Why a node is not condemned although most suspect it.
fn spared(s: &Situation<'_>, name: &NodeName, room: &mut Room) -> Option<Note> {
    if s.view.cluster.maintenance.get().is_some_and(|text| text == "true") {
        return Some(Note::Maintenance { node: name.clone() });
    }
    if room.silent * 2 >= room.of {
        return Some(Note::TooManySilent { silent: room.silent, of: room.of });
    }
    // One node that dies again and again is no storm.
    let others = room.begun.iter().filter(|other| *other != name).count();
    if others >= room.cap {
        return Some(Note::Storm { node: name.clone(), cap: room.cap });
    }
    room.begun.insert(name.clone());
    None
}

/// Declares a node dead, unless it has said anything, or anybody has heard it, in between.
fn condemn(
    s: &Situation<'_>,
    name: &NodeName,
    node: &Node,
    since: Instant,
    why: String,
) -> super::Step {
    let before_ms = |at: Instant| {
        let ago = s.now.saturating_duration_since(at).as_millis();
        s.wall_ms.saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX))
    };
    let id: FenceId = format!("{name}-{}", s.wall_ms).parse().expect("a node's name and a number");
    let fence = Fence {
        id,
        node: name.clone(),
        by: s.me.clone(),
        phase: FencePhase::Proving,
        why: why.clone(),
        boot: node.liveness.presence.get().map(|it| it.boot.clone()).unwrap_or_default(),
        power_cut: s.policy.ipmi,
        suspected_ms: before_ms(since),
        condemned_ms: s.wall_ms,
        proved_ms: None,
        finished_ms: None,
        evidence: vec![],
        moved: vec![],
        waiting: vec![],
    };
    let ops = [
        Some(key::node_fence(name).put(&node.liveness.fence, &fence)),
        Some(key::node_daemon_state(name).put(&node.daemon_state, &DaemonState::Dead)),
        asks_storage(s.policy)
            .then(|| key::node_shut_out(name).put(&node.liveness.shut_out, &fence.mark())),
        key::node_keepalive(name).check(&node.keepalive),
        // The record names the boot that it told of.
        key::node_presence(name).check(&node.liveness.presence),
        key::maintenance().check(&s.view.cluster.maintenance),
    ];
    let accusers = accusations(s, name, node);
    let ops = ops.into_iter().flatten().chain(accusers).collect();
    super::Step::Write { node: name.clone(), goal: Goal::Condemn { why }, ops }
}

/// That most still accuse it at the very moment of its condemnation.
fn accusations(s: &Situation<'_>, name: &NodeName, node: &Node) -> Vec<Op> {
    let by = s.sight.agreement().accused(name).map(|accused| &accused.by);
    by.into_iter()
        .flatten()
        .filter_map(|observer| {
            let suspected = node.liveness.suspicions.get(observer)?;
            key::node_suspicion(name, observer).check(&suspected.by)
        })
        .collect()
}

/// Whether storage is asked for evidence at all.
pub(super) const fn asks_storage(policy: &super::Policy) -> bool {
    match policy.storage {
        StorageFence::Suffices | StorageFence::Required => true,
        StorageFence::Off => false,
    }
}
