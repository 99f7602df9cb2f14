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

fn steps(view: &View, holds: bool) -> Vec<String> {
    let me = name("hv1");
    let s = Situation {
        me: &me,
        view,
        has_addresses: holds,
        has_all_addresses: holds,
        has_services: holds,
        has_all_services: holds,
    };
    plan(&s).steps.iter().map(said).collect()
}

fn said(step: &Step) -> String {
    match step {
        Step::Write { goal, .. } => goal.to_string(),
        Step::AcquireAddresses => "acquire".into(),
        Step::DropAddresses => "drop".into(),
        Step::StartServices => "start".into(),
        Step::StopServices => "stop".into(),
    }
}

use CoordinatorState::{Primary, Relinquish, Secondary, Takeover};
use DaemonState::{Dead, Fenced, Run, Shutdown, Stop};

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
        check("hv1", &[me, ("hv2", holding, Fenced)], &["acquire", "be primary", "start"]);
        // It ran out of time while handing over: the addresses are where they were.
        check("hv1", &[me, ("hv2", holding, Stop)], &[]);
    }
    check("hv1", &[me, ("hv2", Secondary, Run)], &["acquire", "be primary", "start"]);
}

#[test]
fn the_old_holder_lets_go_before_it_says_so() {
    check("hv2", &[("hv1", Primary, Run)], &["begin to relinquish"]);
    check("none", &[("hv1", Takeover, Run)], &["begin to relinquish"]);
    for named in ["hv2", "none", "hv1"] {
        check(named, &[("hv1", Relinquish, Run)], &["stop", "drop", "be secondary"]);
    }
}

#[test]
fn a_primary_keeps_what_it_should_hold_and_does_nothing_else() {
    check("hv1", &[("hv1", Primary, Run)], &[]);
    assert_eq!(steps(&view("hv1", &[("hv1", Primary, Run)]), false), ["acquire", "start"]);
}

#[test]
fn a_primary_that_shuts_down_opens_its_seat_first() {
    check("hv1", &[("hv1", Primary, Shutdown)], &["open the seat of the primary"]);
    check("none", &[("hv1", Primary, Shutdown)], &["begin to relinquish"]);
}

#[test]
fn what_a_crash_left_behind_is_cleaned_up() {
    let left = view("hv2", &[("hv1", Secondary, Run), ("hv2", Primary, Run)]);
    assert_eq!(steps(&left, true), ["stop", "drop"]);
}
