//! Which orders are taken, and what they are guarded by.

use pvc_common::model::Evidence;
use pvc_common::state::Verdict;
use pvc_common::zk::Version;

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(4) }
}

fn hv(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn record(phase: FencePhase) -> Seen<Fence> {
    seen(Fence {
        id: "hv3-1".parse().unwrap(),
        node: hv("hv3"),
        by: hv("hv1"),
        phase,
        why: String::new(),
        boot: String::new(),
        power_cut: false,
        suspected_ms: 1,
        condemned_ms: 2,
        proved_ms: None,
        finished_ms: None,
        evidence: vec![],
        moved: vec![],
        waiting: vec![],
    })
}

/// hv3 in a state, beside a coordinator that runs.
fn now(state: DaemonState) -> Condemnable {
    Condemnable {
        daemon_state: seen(state),
        others: vec![(hv("hv2"), seen(DaemonState::Dead)), (hv("hv1"), seen(DaemonState::Run))],
        ..Condemnable::default()
    }
}

fn under_way(phase: FencePhase) -> Condemnable {
    Condemnable { fence: record(phase), ..now(DaemonState::Dead) }
}

/// The paths of what is done, `!` before what is only checked; or the code of the refusal.
fn outcome(now: &Condemnable, wish: FenceWish) -> Result<Vec<String>, String> {
    let change = order_fence(&hv("hv3"), now, wish).map_err(|error| format!("{error:?}"))?;
    let shown = |op: &Op| match op {
        Op::Check { path, .. } => format!("!{path}"),
        Op::Create { path, data } | Op::Set { path, data, .. } => {
            format!("{path}={}", String::from_utf8_lossy(data))
        }
        Op::Delete { path, .. } => format!("-{path}"),
        Op::CreateEphemeral { .. } => panic!("nothing here is ephemeral"),
    };
    Ok(change.ops.iter().map(shown).collect())
}

#[track_caller]
fn refused(now: &Condemnable, wish: FenceWish, code: &str) {
    let error = outcome(now, wish).unwrap_err();
    assert!(error.contains(&format!("{code:?}")), "{error}");
}

#[test]
fn an_order_states_everything_that_it_depends_on() {
    for state in [DaemonState::Run, DaemonState::Init, DaemonState::Shutdown, DaemonState::Dead] {
        assert_eq!(
            outcome(&now(state), FenceWish::Fence).unwrap(),
            ["/nodes/hv3/fence_order=fence", "!/nodes/hv3/daemonstate", "!/nodes/hv1/daemonstate",],
            "{state:?}"
        );
    }
}

#[test]
fn a_node_that_was_stopped_in_order_is_not_fenced_but_can_be_confirmed_dead() {
    refused(&now(DaemonState::Stop), FenceWish::Fence, "node-stopped");
    assert_eq!(
        outcome(&now(DaemonState::Stop), FenceWish::ConfirmDead).unwrap(),
        ["/nodes/hv3/fence_order=confirm-dead", "!/nodes/hv3/daemonstate"]
    );
}

#[test]
fn the_only_coordinator_that_runs_is_not_fenced() {
    let mut alone = now(DaemonState::Run);
    alone.others[1].1 = seen(DaemonState::Shutdown);
    refused(&alone, FenceWish::Fence, "only-coordinator");
    alone.others.clear();
    refused(&alone, FenceWish::Fence, "only-coordinator");
}

#[test]
fn a_node_that_runs_is_not_dead_because_somebody_says_so() {
    refused(&now(DaemonState::Run), FenceWish::ConfirmDead, "node-alive");
    let condemned = Condemnable { fence: record(FencePhase::Proving), ..now(DaemonState::Run) };
    assert_eq!(
        outcome(&condemned, FenceWish::ConfirmDead).unwrap(),
        ["/nodes/hv3/fence_order=confirm-dead", "!/nodes/hv3/daemonstate", "!/nodes/hv3/fence",]
    );
}

#[test]
fn an_order_in_the_midst_of_a_fence_keeps_it_from_being_withdrawn() {
    let guards = ["!/nodes/hv3/daemonstate", "!/nodes/hv3/fence"];
    let ops = outcome(&under_way(FencePhase::Proving), FenceWish::Fence).unwrap();
    assert_eq!(ops, [&["/nodes/hv3/fence_order=fence"][..], &guards].concat());
    assert_eq!(outcome(&under_way(FencePhase::Recovering), FenceWish::Fence), Ok(vec![]));
}

#[test]
fn a_confirmation_helps_until_it_is_on_record() {
    for phase in [FencePhase::Proving, FencePhase::Recovering] {
        assert_eq!(outcome(&under_way(phase), FenceWish::ConfirmDead).unwrap().len(), 3);
    }
    let mut confirmed = under_way(FencePhase::Recovering);
    if let Seen::Value { value, .. } = &mut confirmed.fence {
        value.record(Evidence {
            kind: EvidenceKind::Operator,
            verdict: Verdict::Proved,
            detail: String::new(),
            at_ms: 3,
        });
    }
    assert_eq!(outcome(&confirmed, FenceWish::ConfirmDead), Ok(vec![]));
}

#[test]
fn a_node_that_is_fenced_already_is_left_alone() {
    refused(&now(DaemonState::Fenced), FenceWish::Fence, "node-fenced");
    refused(&now(DaemonState::Fenced), FenceWish::ConfirmDead, "node-fenced");
}

#[test]
fn an_order_is_given_once_and_sharpened_by_a_confirmation() {
    let ordered = |order, state| Condemnable { order: seen(order), ..now(state) };
    let fence = ordered(FenceOrder::Fence, DaemonState::Dead);
    assert_eq!(outcome(&fence, FenceWish::Fence), Ok(vec![]));
    assert_eq!(
        outcome(&fence, FenceWish::ConfirmDead).unwrap()[0],
        "/nodes/hv3/fence_order=confirm-dead"
    );
    let confirmed = ordered(FenceOrder::ConfirmDead, DaemonState::Dead);
    assert_eq!(outcome(&confirmed, FenceWish::Fence), Ok(vec![]), "it is not taken back");
    assert_eq!(outcome(&confirmed, FenceWish::ConfirmDead), Ok(vec![]));
}

#[test]
fn an_order_is_cancelled_until_somebody_acts_on_it() {
    let ordered = Condemnable { order: seen(FenceOrder::Fence), ..now(DaemonState::Run) };
    assert_eq!(
        outcome(&ordered, FenceWish::Cancel).unwrap(),
        ["-/nodes/hv3/fence_order", "!/nodes/hv3/daemonstate"]
    );
    refused(&now(DaemonState::Run), FenceWish::Cancel, "no-order");
    let late = Condemnable { fence: record(FencePhase::Proving), ..ordered };
    refused(&late, FenceWish::Cancel, "under-way");
}

#[test]
fn a_record_that_cannot_be_understood_stops_every_order() {
    let broken = Seen::Bad { version: Version(1), why: "not JSON".into() };
    let now = Condemnable { fence: broken, ..now(DaemonState::Dead) };
    for (_, wish) in FenceWish::WORDS {
        refused(&now, *wish, "unreadable");
    }
}

#[test]
fn an_order_that_cannot_be_understood_is_replaced_or_cancelled() {
    let broken = || Seen::Bad { version: Version(1), why: "no order".into() };
    let now = Condemnable { order: broken(), ..now(DaemonState::Dead) };
    assert_eq!(outcome(&now, FenceWish::Fence).unwrap()[0], "/nodes/hv3/fence_order=fence");
    assert_eq!(outcome(&now, FenceWish::Cancel).unwrap()[0], "-/nodes/hv3/fence_order");
}
