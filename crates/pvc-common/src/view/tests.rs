//! Building views.

use std::sync::Arc;

use super::{Builder, Scope, View};
use crate::model::Claim;
use crate::state::{VmState, Word};
use crate::unit::{Mib, Vcpus};
use crate::zk::{Seen, Version};

const VM: &str = "/domains/6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10";

fn set(builder: &mut Builder, path: &str, text: &str) {
    builder.set(path, Some((text.as_bytes(), Version(3))));
}

fn built(scope: Scope, tree: &[(&str, &str)]) -> Arc<View> {
    let mut builder = Builder::new(scope);
    for (path, text) in tree {
        set(&mut builder, path, text);
    }
    builder.snapshot()
}

fn at(rest: &str) -> String {
    format!("{VM}{rest}")
}

#[test]
fn a_value_is_seen_with_the_version_that_guards_it() {
    let view = built(Scope::States, &[(&at("/state"), "start")]);
    let (_, vm) = view.vms.first_key_value().unwrap();
    assert_eq!(vm.state, Seen::Value { value: VmState::Start, version: Version(3) });
}

#[test]
fn undecodable_data_is_a_fault_and_hides_nothing_else() {
    let view = built(
        Scope::Full,
        &[
            (VM, "web1"),
            (&at("/state"), "sideways"),
            (&at("/node"), "hv1"),
            (&at("/tags/web/protected"), "perhaps"),
            (&at("/tags/db/type"), "user"),
            ("/domains/not-a-uuid", "web2"),
            ("/domains/6F1C2A3E-8A61-4B07-9D43-0B1F6A2C9E10", "shouting"),
            ("/nodes/hv1.example.org", "coordinator"),
            ("/nodes/hv2", "coordinator"),
            ("/networks/007", "office"),
            ("/ceph/volumes/vms/a,b", ""),
        ],
    );
    let faults: Vec<&str> = view.faults.keys().map(String::as_str).collect();
    assert_eq!(
        faults,
        [
            "/ceph/volumes/vms/a,b",
            "/domains/6F1C2A3E-8A61-4B07-9D43-0B1F6A2C9E10",
            &at("/state"),
            &at("/tags/web/protected"),
            "/domains/not-a-uuid",
            "/networks/007",
            "/nodes/hv1.example.org",
        ]
    );
    assert!(view.faults[&at("/state")].why.contains("is not a VM state"));
    let (_, vm) = view.vms.first_key_value().unwrap();
    assert_eq!(vm.node.get().unwrap().as_ref().unwrap().as_str(), "hv1");
    assert_eq!(vm.details.as_ref().unwrap().tags.len(), 2);
    assert_eq!(view.nodes.len(), 1);
}

#[test]
fn data_that_is_no_text_is_a_fault_too() {
    let mut builder = Builder::full();
    builder.set(&at("/node"), Some((b"\xff\xfe", Version(0))));
    builder.set(&at("/xml"), Some((b"\xff\xfe", Version(0))));
    let view = builder.snapshot();
    assert_eq!(view.faults.len(), 2);
    assert!(view.faults.values().all(|fault| fault.why == "not UTF-8"));
}

#[test]
fn a_fault_is_over_once_its_data_is_mended_or_gone() {
    let mut builder = Builder::full();
    for (path, text) in [
        (at("/state"), "x"),
        (at("/node"), "x y"),
        (at("/xml"), "x"),
        ("/nodes/a.b".to_owned(), ""),
        ("/nodes/hv1/cpuload".to_owned(), "high"),
    ] {
        set(&mut builder, &path, text);
    }
    assert_eq!(builder.snapshot().faults.len(), 5);
    set(&mut builder, &at("/state"), "stop");
    builder.set("/nodes/a.b", None);
    assert_eq!(builder.snapshot().faults.len(), 3);
    builder.set(VM, None);
    assert_eq!(builder.snapshot().faults.len(), 1);
    builder.clear("/nodes");
    assert!(builder.snapshot().faults.is_empty());
}

#[test]
fn what_is_not_ours_is_neither_wanted_nor_a_fault() {
    let contender = "0123456789abcdef0123456789abcdef__lock__0000000007";
    let strays = [
        at(&format!("/state/{contender}")),
        at("/invented"),
        at("/consolelog"),
        at("/tags/web/invented"),
        format!("/config/primary_node/{contender}"),
        "/config/primary_node/sync_lock".to_owned(),
        "/schema/versions".to_owned(),
        "/domains/not-a-uuid/state".to_owned(),
        "/networks/1001/dhcp4_reservations/52:54:00:aa:bb:cc/mac".to_owned(),
        "/logs/hv1/messages".to_owned(),
        "/patroni/pvc/leader".to_owned(),
        "/nettype".to_owned(),
        "/domainsx".to_owned(),
        "/".to_owned(),
        String::new(),
    ];
    let mut builder = Builder::full();
    for path in &strays {
        assert!(!builder.wants(path), "{path}");
        set(&mut builder, path, "?");
    }
    assert_eq!(*builder.snapshot(), View::default());
}

#[test]
fn the_way_to_what_is_wanted_is_wanted() {
    let builder = Builder::full();
    for path in [
        "/domains",
        VM,
        &at("/tags"),
        &at("/tags/web"),
        &at("/snapshots/before/xml"),
        "/networks/1001/firewall_rules",
        "/networks/1001/firewall_rules/in/ssh/order",
        "/ceph",
        "/ceph/osds/3/fsid/osd",
        "/ceph/volumes",
        "/ceph/volumes/vms",
        "/ceph/snapshots/vms/web1_sda/before/stats",
        "/nodes/hv1/monitoring_data/load/message",
        "/config/maintenance",
        "/schema/version",
        "/faults/DEAD_NODE_HV2/status",
        "/domains/not-a-uuid",
    ] {
        assert!(builder.wants(path), "{path}");
    }
}

#[test]
fn a_narrow_scope_leaves_out_what_its_reader_does_not_need() {
    let wanted = |path: &str| {
        [Scope::States, Scope::Decisions, Scope::Full].map(|scope| Builder::new(scope).wants(path))
    };
    assert_eq!(wanted(&at("/state")), [true, true, true]);
    assert_eq!(wanted(&at("/xml")), [false, true, true]);
    assert_eq!(wanted("/networks/1001/mtu"), [false, true, true]);
    for details in [&at("/stats"), "/nodes/hv1/network_stats", "/ceph/pools/vms"] {
        assert_eq!(wanted(details), [false, false, true], "{details}");
    }
}

#[test]
fn a_definition_is_read_for_what_the_vm_needs_and_kept_only_to_be_shown() {
    let xml = "<domain><memory unit='GiB'>2</memory><vcpu>4</vcpu></domain>";
    for (scope, kept) in [(Scope::Decisions, false), (Scope::Full, true)] {
        let view = built(scope, &[(&at("/xml"), xml)]);
        let (_, vm) = view.vms.first_key_value().unwrap();
        let needs = vm.resources.unwrap();
        assert_eq!((needs.memory, needs.vcpus), (Mib(2048), Vcpus(4)));
        assert_eq!(vm.details.is_some(), kept);
    }
    let view = built(Scope::Full, &[(&at("/xml"), "<domain/>")]);
    assert_eq!(view.faults[&at("/xml")].why, "no element <memory>");
    let (_, vm) = view.vms.first_key_value().unwrap();
    assert_eq!(vm.resources, None);
    assert_eq!(&**vm.details.as_ref().unwrap().xml.get().unwrap(), "<domain/>");
}

#[test]
fn a_lease_of_an_ipv6_address_is_known_by_the_address_as_it_is_written() {
    let lease = "/networks/7/dhcp6_leases/2001:db8::5";
    let odd = "/networks/7/dhcp6_leases/2001:DB8:0::6";
    let found = [
        (lease, ""),
        (&*format!("{lease}/duid"), "00:01:02"),
        (&*format!("{lease}/iaid"), "7"),
        (&*format!("{lease}/expiry"), "1700000000"),
        (&*format!("{lease}/mac"), ""),
        (odd, ""),
    ];
    let view = built(Scope::Decisions, &found);
    let (_, network) = view.networks.first_key_value().unwrap();
    let leases: Vec<_> = network.leases6.iter().collect();
    let [(ip, held)] = leases[..] else { panic!("{leases:?}") };
    assert_eq!(ip.to_string(), "2001:db8::5");
    assert_eq!((held.iaid.copied(), held.expiry.copied()), (Some(7), Some(1_700_000_000)));
    assert_eq!(held.mac.copied(), Some(None));
    assert_eq!(view.faults[odd].why, "`2001:DB8:0::6` should be written `2001:db8::6`");
}

#[test]
fn only_what_changed_is_copied() {
    let other = "/domains/00000000-0000-0000-0000-000000000001";
    let mut builder = Builder::full();
    for path in [VM, other] {
        set(&mut builder, path, "web1");
    }
    set(&mut builder, "/nodes/hv1", "coordinator");
    let before = builder.snapshot();
    set(&mut builder, &at("/state"), VmState::Start.text());
    let after = builder.snapshot();
    let same = |path: &str| {
        let uuid = path.trim_start_matches("/domains/").parse().unwrap();
        Arc::ptr_eq(&before.vms[&uuid], &after.vms[&uuid])
    };
    assert!(same(other) && !same(VM));
    let node = "hv1".parse().unwrap();
    assert!(Arc::ptr_eq(&before.nodes[&node], &after.nodes[&node]));
    assert!(before.nodes.is(&after.nodes) && !before.vms.is(&after.vms));
    let uuid = VM.trim_start_matches("/domains/").parse().unwrap();
    assert_eq!(before.vms[&uuid].state, Seen::Absent, "a view that was handed out never changes");
}

#[test]
fn what_vanishes_from_the_tree_vanishes_from_the_view() {
    let tree = [(VM, "web1"), (&at("/claim"), "hv1"), (&at("/tags/web"), "web")];
    let mut builder = Builder::full();
    for (path, text) in tree {
        set(&mut builder, path, text);
    }
    builder.set(&at("/claim"), None);
    builder.set(&at("/tags/web"), None);
    let view = builder.snapshot();
    let (_, vm) = view.vms.first_key_value().unwrap();
    assert_eq!((&vm.claim, &vm.details), (&Seen::<Claim>::Absent, &None));
    builder.set(VM, None);
    assert!(builder.snapshot().vms.is_empty());
}

#[test]
fn a_straggler_does_not_bring_a_removed_vm_back() {
    let mut builder = Builder::full();
    set(&mut builder, VM, "web1");
    builder.set(VM, None);
    set(&mut builder, &at("/stats"), "{}");
    set(&mut builder, &at("/xml"), "<domain/>");
    builder.set(&at("/stats"), None);
    builder.set(&at("/xml"), None);
    assert_eq!(*builder.snapshot(), View::default());
}
