//! Nodes that empty and fill, as tables.

use std::sync::Arc;

use pvc_common::model::{Claim, Resources, StaticData};
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::zk::{Seen, Version};

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(3) }
}

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn uuid(n: usize) -> VmUuid {
    format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

fn node(state: DomainState) -> Arc<Node> {
    Arc::new(Node {
        daemon_state: seen(pvc_common::state::DaemonState::Run),
        domain_state: seen(state),
        static_data: seen(StaticData {
            cpu_count: 8,
            kernel: "6".into(),
            os: "GNU/Linux".into(),
            arch: "x86_64".into(),
        }),
        mem_total: seen(Mib(64_000)),
        mem_free: seen(Mib(32_000)),
        vcpu_alloc: seen(Vcpus(0)),
        cpu_load: seen(0.0),
        domains_count: seen(0),
        ..Node::default()
    })
}

/// `hv1` in the state under test beside two that are ready.
fn cluster(hv1: DomainState) -> View {
    let nodes = [("hv1", hv1), ("hv2", DomainState::Ready), ("hv3", DomainState::Ready)];
    let nodes = nodes.into_iter().map(|(n, state)| (name(n), node(state))).collect();
    View { nodes, ..View::default() }
}

/// A VM: state, node, home (or `""`), holder (or `""`).
fn vm(state: VmState, on: &str, home: &str, holder: &str) -> Vm {
    let named = |text: &str| (!text.is_empty()).then(|| name(text));
    let claim = named(holder).map_or(Seen::Absent, |holder| seen(Claim::of(holder)));
    Vm {
        state: seen(state),
        node: seen(Some(name(on))),
        last_node: seen(named(home)),
        claim,
        resources: Some(Resources { memory: Mib(1024), vcpus: Vcpus(1), rbd_only: false }),
        ..Vm::default()
    }
}

fn with(mut view: View, vms: impl IntoIterator<Item = Vm>) -> View {
    view.vms = vms.into_iter().enumerate().map(|(n, vm)| (uuid(n), Arc::new(vm))).collect();
    view
}

fn goals(view: &View) -> Vec<String> {
    plan(&name("hv1"), view, |_| Turn::Now).writes.iter().map(said).collect()
}

fn said(write: &Write) -> String {
    write.goal.to_string().replace("00000000-0000-4000-8000-00000000000", "")
}

#[track_caller]
fn check(hv1: DomainState, vms: impl IntoIterator<Item = Vm>, expected: &[&str]) {
    assert_eq!(goals(&with(cluster(hv1), vms)), expected);
}

use DomainState::{Flush, Unflush};
use VmState::{Migrate, Shutdown, Start, Stop};

#[test]
fn a_flush_sends_a_bounded_number_of_vms_and_spreads_them() {
    let vms = (0..10).map(|_| vm(Start, "hv1", "", "hv1"));
    let expected = ["send VM 0 to hv2", "send VM 1 to hv3", "send VM 2 to hv2", "send VM 3 to hv3"];
    check(Flush, vms, &expected);
}

/// The node that a transaction counts a VM on, and the version that it states for that.
fn counted(write: &Write) -> Option<(String, i32)> {
    write.ops.iter().find_map(|op| match op {
        Op::Set { path, data, version } if path.ends_with("/domainstate") && data == b"ready" => {
            Some((path.split('/').nth(2)?.to_owned(), version.0))
        }
        Op::Set { .. }
        | Op::Create { .. }
        | Op::CreateEphemeral { .. }
        | Op::Delete { .. }
        | Op::Check { .. } => None,
    })
}

#[test]
fn of_two_flushes_at_once_only_one_fills_the_same_room() {
    let vms = [vm(Start, "hv1", "", "hv1"), vm(Start, "hv2", "", "hv2")];
    let mut view = with(cluster(Flush), vms);
    view.nodes.insert(name("hv2"), node(Flush));
    let sent = |me: &str| plan(&name(me), &view, |_| Turn::Now).writes.remove(0);
    let (first, second) = (sent("hv1"), sent("hv2"));
    assert_eq!(said(&first), "send VM 0 to hv3");
    assert_eq!(said(&second), "send VM 1 to hv3");
    // Both replace the same version of the same key: ZooKeeper refuses whoever comes second.
    assert_eq!(counted(&first), Some(("hv3".to_owned(), 3)));
    assert_eq!(counted(&second), counted(&first));
}

#[test]
fn a_flush_counts_on_what_it_has_placed_itself() {
    let view = with(cluster(Flush), (0..4).map(|_| vm(Start, "hv1", "", "hv1")));
    let plan = plan(&name("hv1"), &view, |_| Turn::Now);
    let counted: Vec<_> = plan.writes.iter().filter_map(counted).collect();
    let expected = [("hv2", 3), ("hv3", 3), ("hv2", 4), ("hv3", 4)];
    assert_eq!(counted, expected.map(|(node, version)| (node.to_owned(), version)));
}

#[test]
fn those_under_way_count_against_the_bound() {
    let vms = (0..3)
        .map(|_| vm(Migrate, "hv2", "hv1", "hv1"))
        .chain((0..4).map(|_| vm(Start, "hv1", "", "hv1")));
    check(Flush, vms, &["send VM 3 to hv3"]);
}

#[test]
fn an_empty_node_is_flushed_whatever_stopped_vms_it_has() {
    check(Flush, [vm(Stop, "hv1", "", ""), vm(Start, "hv2", "", "hv2")], &["be flushed"]);
    check(Flush, [vm(Stop, "hv1", "", "hv1")], &[]);
}

#[test]
fn a_vm_away_from_home_goes_home_if_it_can() {
    check(Flush, [vm(Start, "hv1", "hv3", "hv1")], &["send VM 0 to hv3"]);
    let view = with(cluster(Flush), [vm(Start, "hv1", "hv3", "hv1")]);
    let plan = plan(&name("hv1"), &view, |_| Turn::Now);
    let home = plan.writes[0].ops.iter().find(|op| op.path().ends_with("/lastnode")).unwrap();
    let Op::Set { data, .. } = home else { panic!("{home:?}") };
    assert!(data.is_empty(), "at home is not away");
}

#[test]
fn a_second_migration_does_not_overwrite_the_home() {
    let mut view = with(cluster(Flush), [vm(Start, "hv1", "hv3", "hv1")]);
    view.nodes.insert(name("hv3"), node(DomainState::Flushed));
    let plan = plan(&name("hv1"), &view, |_| Turn::Now);
    assert_eq!(said(&plan.writes[0]), "send VM 0 to hv2");
    let home = plan.writes[0].ops.iter().find(|op| op.path().ends_with("/lastnode")).unwrap();
    let Op::Set { data, .. } = home else { panic!("{home:?}") };
    assert_eq!(data, b"hv3");
}

#[test]
fn a_vm_that_nobody_can_take_is_shut_down_to_start_later() {
    let mut limited = vm(Start, "hv1", "", "hv1");
    limited.node_limit = seen(vec![name("hv1")]);
    let view = with(cluster(Flush), [limited]);
    let plan = plan(&name("hv1"), &view, |_| Turn::Now);
    assert!(said(&plan.writes[0]).starts_with("shut VM 0 down: no node can take it"));
    assert!(plan.writes[0].ops.iter().any(|op| op.path().ends_with("/node_autostart")));
}

#[test]
fn a_vm_whose_migration_just_failed_waits_for_its_turn() {
    let view = with(cluster(Flush), [vm(Start, "hv1", "", "hv1"), vm(Start, "hv1", "", "hv1")]);
    let plan = plan(&name("hv1"), &view, |vm| if vm == uuid(0) { Turn::Later } else { Turn::Now });
    assert_eq!(plan.writes.iter().map(said).collect::<Vec<_>>(), ["send VM 1 to hv2"]);
    assert_eq!(plan.remaining.len(), 2);
}

#[test]
fn every_wish_is_void_once_the_nodes_state_has_changed() {
    for (state, vms) in
        [(Flush, [vm(Start, "hv1", "", "hv1")]), (Unflush, [vm(Start, "hv2", "hv1", "hv2")])]
    {
        let view = with(cluster(state), vms);
        for write in plan(&name("hv1"), &view, |_| Turn::Now).writes {
            let guarded = write
                .ops
                .iter()
                .any(|op| matches!(op, Op::Check { path, .. } if path == "/nodes/hv1/domainstate"));
            assert!(guarded, "{write:?}");
        }
    }
}

#[test]
fn an_unflush_fetches_what_left_and_starts_what_waited() {
    let mut waiting = vm(Stop, "hv1", "", "");
    waiting.autostart = seen(true);
    let vms = [vm(Start, "hv2", "hv1", "hv2"), waiting, vm(Start, "hv3", "", "hv3")];
    check(Unflush, vms, &["start VM 1, which waited for this node", "fetch VM 0 home"]);
}

#[test]
fn a_reversed_flush_keeps_what_has_not_left() {
    let view = with(cluster(Unflush), [vm(Migrate, "hv2", "hv1", "hv1")]);
    let plan = plan(&name("hv1"), &view, |_| Turn::Now);
    let state = plan.writes[0].ops.iter().find(|op| op.path().ends_with("/state")).unwrap();
    let Op::Set { data, .. } = state else { panic!("{state:?}") };
    assert_eq!(data, b"start");
}

#[test]
fn stopped_vms_come_home_without_being_started() {
    let view = with(cluster(Unflush), [vm(Stop, "hv2", "hv1", "")]);
    let plan = plan(&name("hv1"), &view, |_| Turn::Now);
    assert_eq!(said(&plan.writes[0]), "fetch VM 0 home");
    assert!(
        !plan.writes[0]
            .ops
            .iter()
            .any(|op| { matches!(op, Op::Set { path, .. } if path.ends_with("/state")) })
    );
}

#[test]
fn a_reversed_flush_revives_what_it_was_shutting_down() {
    let mut going = vm(Shutdown, "hv1", "", "hv1");
    going.autostart = seen(true);
    check(Unflush, [going], &["start VM 0, which waited for this node"]);
}

#[test]
fn an_unflush_ends_when_everything_is_home() {
    check(Unflush, [vm(Migrate, "hv1", "", "hv2")], &[]);
    check(Unflush, [vm(Start, "hv1", "", "hv1"), vm(Start, "hv2", "", "hv2")], &["be ready"]);
}

#[test]
fn what_a_dead_node_holds_does_not_hold_up_an_unflush() {
    let mut view = with(cluster(Unflush), [vm(Start, "hv2", "hv1", "hv2")]);
    let mut dead = (*node(DomainState::Ready)).clone();
    dead.daemon_state = seen(pvc_common::state::DaemonState::Dead);
    view.nodes.insert(name("hv2"), Arc::new(dead));
    assert_eq!(goals(&view), ["be ready"]);
    let assigned = with(view, [vm(Start, "hv1", "", "hv2")]);
    assert_eq!(goals(&assigned), ["be ready"]);
}

#[test]
fn a_vm_that_does_not_come_home_is_asked_again_later_and_in_the_end_left_where_it_is() {
    let view = with(cluster(Unflush), [vm(Start, "hv2", "hv1", "hv2")]);
    let asked = |turn| {
        let plan = plan(&name("hv1"), &view, |_| turn);
        (plan.writes.iter().map(said).collect::<Vec<_>>(), plan.remaining.len())
    };
    assert_eq!(asked(Turn::Now), (vec!["fetch VM 0 home".to_owned()], 1));
    assert_eq!(asked(Turn::Later), (vec![], 1));
    assert_eq!(asked(Turn::Never), (vec!["be ready".to_owned()], 0));
}
