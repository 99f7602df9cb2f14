//! Coordinators that pass the part of the primary on, as tables.

use std::sync::Arc;

use pvc_common::view::Cluster;
use pvc_common::zk::{Seen, Version};

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(7) }
}

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

type Other = (&'static str, CoordinatorState, DaemonState);

fn view(named: &str, nodes: &[Other]) -> View {
    let named = (named != "none").then(|| name(named));
    let nodes = nodes.iter().map(|(n, coordinator, daemon)| {
        let node = Node {
            coordinator_state: seen(*coordinator),
            daemon_state: seen(*daemon),
            ..Node::default()
        };
        (name(n), Arc::new(node))
    });
    let cluster = Cluster { primary_node: seen(named), ..Cluster::default() };
    View { cluster: Arc::new(cluster), nodes: nodes.collect(), ..View::default() }
}

/// A node with parts of all phases, all of which it has or none.
fn outfit(holds: bool) -> Held {
    let holding = if holds { Holding::EVERYTHING } else { Holding::NOTHING };
    Held { addresses: holding, leader: holding, services: holding }
}

fn decide(view: &View, held: Held, silence: Duration) -> Plan {
    plan(&Situation { me: &name("hv1"), view, held, silence })
}

fn steps(view: &View, holds: bool) -> Vec<String> {
    said_all(&decide(view, outfit(holds), Duration::ZERO))
}

fn said_all(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(said).collect()
}

fn said(step: &Step) -> String {
    match step {
        Step::Write { goal, .. } => goal.to_string(),
        Step::TakeUp(phase) => format!("take up {phase}"),
        Step::LayDown(phase) => format!("lay down {phase}"),
    }
}

use CoordinatorState::{Primary, Relinquish, Secondary, Takeover};
use DaemonState::{Dead, Fenced, Run, Shutdown, Stop};

const TAKEN_OVER: [&str; 4] =
    ["take up addresses", "be primary", "take up leader", "take up services"];
const LAID_DOWN: [&str; 3] = ["lay down services", "lay down leader", "lay down addresses"];

#[track_caller]
fn check(named: &str, nodes: &[Other], expected: &[&str]) {
    let holds = matches!(nodes[0].1, Primary);
    assert_eq!(steps(&view(named, nodes), holds), expected);
}

#[test]
fn an_open_seat_is_taken_by_those_who_serve() {
    check("none", &[("hv1", Secondary, Run)], &["take the open seat of the primary"]);
    check("none", &[("hv1", Secondary, DaemonState::Init)], &[]);
    check("none", &[("hv1", Secondary, Shutdown)], &[]);
}

#[test]
fn the_seat_of_a_stopped_or_fenced_holder_is_open_but_not_that_of_a_suspect() {
    let me = ("hv1", Secondary, Run);
    for gone in [Stop, Fenced] {
        check("hv2", &[me, ("hv2", Primary, gone)], &["take the open seat of the primary"]);
    }
    for there in [Run, Dead, Shutdown] {
        check("hv2", &[me, ("hv2", Primary, there)], &[]);
    }
}

#[test]
fn the_named_node_waits_until_the_old_holder_has_let_go() {
    let me = ("hv1", Takeover, Run);
    check("hv1", &[("hv1", Secondary, Run), ("hv2", Primary, Run)], &["begin to take over"]);
    for holding in [Primary, Relinquish, Takeover] {
        check("hv1", &[me, ("hv2", holding, Run)], &[]);
        check("hv1", &[me, ("hv2", holding, Dead)], &[]);
        check("hv1", &[me, ("hv2", holding, Fenced)], &TAKEN_OVER);
        // It ran out of time while handing over: the addresses are where they were.
        check("hv1", &[me, ("hv2", holding, Stop)], &[]);
    }
    check("hv1", &[me, ("hv2", Secondary, Run)], &TAKEN_OVER);
}

#[test]
fn the_old_holder_lets_go_before_it_says_so() {
    check("hv2", &[("hv1", Primary, Run)], &["begin to relinquish"]);
    check("none", &[("hv1", Takeover, Run)], &["begin to relinquish"]);
    for named in ["hv2", "none", "hv1"] {
        let expected = [&LAID_DOWN[..], &["be secondary"]].concat();
        check(named, &[("hv1", Relinquish, Run)], &expected);
    }
}

#[test]
fn a_primary_keeps_what_it_should_hold_and_does_nothing_else() {
    check("hv1", &[("hv1", Primary, Run)], &[]);
    let up = ["take up addresses", "take up leader", "take up services"];
    assert_eq!(steps(&view("hv1", &[("hv1", Primary, Run)]), false), up);
}

#[test]
fn a_primary_that_shuts_down_opens_its_seat_first() {
    check("hv1", &[("hv1", Primary, Shutdown)], &["open the seat of the primary"]);
    check("none", &[("hv1", Primary, Shutdown)], &["begin to relinquish"]);
    check("hv1", &[("hv1", Takeover, Shutdown)], &["open the seat of the primary"]);
    check("none", &[("hv1", Takeover, Shutdown)], &["begin to relinquish"]);
}

#[test]
fn what_a_crash_left_behind_is_cleaned_up() {
    let left = view("hv2", &[("hv1", Secondary, Run), ("hv2", Primary, Run)]);
    // The addresses first: hv2 has them, too.
    let cleaned_up = ["lay down addresses", "lay down leader", "lay down services"];
    assert_eq!(steps(&left, true), cleaned_up);
    // Also when the seat has come back to it since: it begins as everybody does.
    let named = view("hv1", &[("hv1", Secondary, Run), ("hv2", Secondary, Run)]);
    assert_eq!(steps(&named, true), [&cleaned_up[..], &["begin to take over"]].concat());
}

#[test]
fn who_hears_nobody_lays_the_addresses_down_before_anybody_else_may_take_them() {
    for own in [Takeover, Primary, Relinquish, Secondary] {
        let view = view("hv1", &[("hv1", own, Run), ("hv2", Secondary, Run)]);
        let plan = decide(&view, outfit(true), TOUCH);
        assert_eq!((said_all(&plan), plan.out_of_touch), (vec![LAID_DOWN[2].to_owned()], true));
    }
    let just = TOUCH - Duration::from_millis(1);
    let view = view("hv1", &[("hv1", Primary, Run)]);
    assert_eq!(decide(&view, outfit(true), just), Plan::default());
}

#[test]
fn who_hears_nobody_takes_no_addresses() {
    let without = Held { addresses: Holding::NOTHING, ..outfit(true) };
    for own in [Takeover, Primary] {
        let view = view("hv1", &[("hv1", own, Run), ("hv2", Secondary, Run)]);
        let silent = decide(&view, without, TOUCH);
        assert_eq!((said_all(&silent), silent.out_of_touch), (vec![], true));
        // Heard again, and still named: it takes up what it laid down.
        let heard = decide(&view, without, Duration::ZERO);
        assert_eq!(said_all(&heard)[0], "take up addresses");
    }
}

#[test]
fn what_has_no_parts_is_neither_missed_nor_left_behind() {
    let none = Holding::of([]);
    for holding in [Holding::NOTHING, Holding::EVERYTHING] {
        let held = Held { addresses: holding, leader: none, services: holding };
        let primary = decide(&view("hv1", &[("hv1", Primary, Run)]), held, Duration::ZERO);
        let secondary = view("hv2", &[("hv1", Secondary, Run), ("hv2", Primary, Run)]);
        let secondary = decide(&secondary, held, Duration::ZERO);
        for plan in [primary, secondary] {
            assert!(!said_all(&plan).iter().any(|step| step.contains("leader")), "{plan:?}");
        }
    }
}

#[test]
fn only_addresses_that_cannot_be_laid_down_hold_a_switch_up() {
    for phase in Phase::UP {
        assert_eq!(Step::LayDown(phase).must_succeed(), phase == Phase::Addresses);
        assert!(!Step::TakeUp(phase).must_succeed());
    }
}
