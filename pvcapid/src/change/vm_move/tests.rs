//! Where a VM may be moved, and what is written for it.

use std::sync::Arc;

use pvc_common::model::{Liveness, Node, Presence, Resources, StaticData};
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::zk::{Op, Seen, Version};

use super::*;

const UUID: &str = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10";

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(5) }
}

fn hv(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn node(free: u64, state: DomainState) -> Arc<Node> {
    let facts = StaticData {
        cpu_count: 8,
        kernel: "6.1".into(),
        os: "GNU/Linux".into(),
        arch: "x86_64".into(),
    };
    Arc::new(Node {
        daemon_state: seen(DaemonState::Run),
        domain_state: seen(state),
        static_data: seen(facts),
        mem_total: seen(Mib(64_000)),
        mem_free: seen(Mib(free)),
        vcpu_alloc: seen(Vcpus(0)),
        cpu_load: seen(0.0),
        domains_count: seen(0),
        ..Node::default()
    })
}

fn cluster() -> View {
    let mut view = View::default();
    for (name, free, state) in [
        ("hv1", 10_000, DomainState::Ready),
        ("hv2", 20_000, DomainState::Ready),
        ("hv3", 30_000, DomainState::Flushed),
    ] {
        view.nodes.insert(hv(name), node(free, state));
    }
    let presence = seen(Presence { without_vms: true, ..Presence::default() });
    let liveness = Liveness { presence, ..Liveness::default() };
    let quorum = Node { liveness, ..(*node(40_000, DomainState::Ready)).clone() };
    view.nodes.insert(hv("hv4"), Arc::new(quorum));
    view
}

fn vm(state: VmState, last: Option<&str>) -> Vm {
    Vm {
        state: seen(state),
        node: seen(Some(hv("hv1"))),
        last_node: seen(last.map(hv)),
        node_limit: seen(vec![]),
        claim: Seen::Absent,
        ..Vm::default()
    }
}

fn wish(kind: MoveKind, target: Option<&str>) -> MoveWish {
    MoveWish { kind, target: target.map(hv), force: false, live_only: false }
}

/// What is written, as `<last part of the path>=<text>`; checks are left out.
fn outcome(vm: &Vm, wish: &MoveWish) -> Result<Vec<String>, String> {
    let uuid = UUID.parse().unwrap();
    let change = move_vm(uuid, "web1", vm, &cluster(), wish).map_err(|e| format!("{e:?}"))?;
    let write = |op: &Op| match op {
        Op::Set { path, data, .. } | Op::Create { path, data } => {
            let key = path.rsplit('/').next().unwrap();
            Some(format!("{key}={}", String::from_utf8_lossy(data)))
        }
        Op::CreateEphemeral { .. } | Op::Delete { .. } | Op::Check { .. } => None,
    };
    Ok(change.ops.iter().filter_map(write).collect())
}

#[test]
fn a_migration_remembers_home_and_the_way_back() {
    assert_eq!(
        outcome(&vm(VmState::Start, None), &wish(MoveKind::Migrate, Some("hv2"))).unwrap(),
        ["state=migrate", "node=hv2", "lastnode=hv1", "migrate_origin=hv1 -", "domainstate=ready"]
    );
}

#[test]
fn a_forced_second_migration_keeps_the_first_home() {
    let away = vm(VmState::Start, Some("hv9"));
    let once_more = wish(MoveKind::Migrate, Some("hv2"));
    assert!(outcome(&away, &once_more).is_err());
    assert_eq!(
        outcome(&away, &MoveWish { force: true, ..once_more }).unwrap(),
        [
            "state=migrate",
            "node=hv2",
            "lastnode=hv9",
            "migrate_origin=hv1 hv9",
            "domainstate=ready"
        ]
    );
}

#[test]
fn a_move_is_for_good_and_may_be_live_only() {
    let wish = MoveWish { live_only: true, ..wish(MoveKind::Move, None) };
    assert_eq!(
        outcome(&vm(VmState::Start, Some("hv9")), &wish).unwrap(),
        [
            "state=migrate-live",
            "node=hv2",
            "lastnode=",
            "migrate_origin=hv1 hv9",
            "domainstate=ready"
        ]
    );
}

#[test]
fn a_move_to_where_it_is_makes_a_migration_permanent() {
    let wish = wish(MoveKind::Move, Some("hv1"));
    assert_eq!(outcome(&vm(VmState::Start, Some("hv9")), &wish).unwrap(), ["lastnode="]);
    assert!(outcome(&vm(VmState::Start, None), &wish).is_err());
}

#[test]
fn a_stopped_vm_is_assigned_without_a_migration() {
    assert_eq!(
        outcome(&vm(VmState::Stop, None), &wish(MoveKind::Move, Some("hv2"))).unwrap(),
        ["node=hv2", "lastnode=", "migrate_origin="]
    );
}

#[test]
fn a_displaced_vm_waits_no_longer_once_it_is_moved() {
    let uuid = UUID.parse().unwrap();
    let vm = Vm { displaced: seen(Some(hv("hv1"))), ..vm(VmState::Stop, Some("hv9")) };
    for target in ["hv2", "hv1"] {
        let wish = wish(MoveKind::Move, Some(target));
        let ops = move_vm(uuid, "web1", &vm, &cluster(), &wish).unwrap().ops;
        assert!(ops.contains(&key::vm_displaced(uuid).delete(&vm.displaced).unwrap()), "{ops:?}");
    }
}

#[test]
fn the_way_home_needs_a_home() {
    let unmigrate = wish(MoveKind::Unmigrate, None);
    assert!(outcome(&vm(VmState::Start, None), &unmigrate).is_err());
    let lost = outcome(&vm(VmState::Start, Some("hv4")), &unmigrate).unwrap_err();
    assert!(lost.contains("runs no VMs"), "{lost}");
    assert_eq!(
        outcome(&vm(VmState::Start, Some("hv2")), &unmigrate).unwrap(),
        ["state=migrate", "node=hv2", "lastnode=", "migrate_origin=hv1 hv2", "domainstate=ready"]
    );
}

#[test]
fn a_target_must_exist_be_ready_and_be_permitted() {
    let limited = Vm { node_limit: seen(vec![hv("hv1")]), ..vm(VmState::Start, None) };
    for (vm, target, why) in [
        (&vm(VmState::Start, None), Some("hv9"), "is invalid"),
        (&vm(VmState::Start, None), Some("hv3"), "is not ready"),
        (&vm(VmState::Start, None), Some("hv4"), "runs no VMs"),
        (&vm(VmState::Stop, None), Some("hv4"), "runs no VMs"),
        (&vm(VmState::Start, None), Some("hv1"), "already running"),
        (&limited, Some("hv2"), "not in the allowed list"),
        (&limited, None, "Could not find a valid migration target"),
        (&vm(VmState::Shutdown, None), Some("hv2"), "being shut down"),
        (&vm(VmState::Migrate, None), Some("hv2"), "being migrated"),
    ] {
        let error = outcome(vm, &wish(MoveKind::Migrate, target)).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_running_vm_is_not_sent_where_it_does_not_fit() {
    let uuid = UUID.parse().unwrap();
    let large = |state| Vm {
        resources: Some(Resources { memory: Mib(25_000), vcpus: Vcpus(1), rbd_only: false }),
        ..vm(state, None)
    };
    let to_hv2 = wish(MoveKind::Migrate, Some("hv2"));
    let sent = |state| {
        let vm = large(state);
        let mut view = cluster();
        view.vms.insert(uuid, Arc::new(vm.clone()));
        move_vm(uuid, "web1", &vm, &view, &to_hv2).map_err(|error| format!("{error:?}"))
    };
    let error = sent(VmState::Start).unwrap_err();
    assert!(error.contains("20000 MiB of memory free, 25000 MiB needed"), "{error}");
    assert!(sent(VmState::Stop).is_ok(), "what does not run takes no room");
}
