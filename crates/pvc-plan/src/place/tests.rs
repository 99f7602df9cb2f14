//! Placements, as tables.

use std::sync::Arc;

use pvc_common::model::{Liveness, Presence, StaticData};
use pvc_common::state::{DaemonState, DomainState};

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(0) }
}

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn node(free: u64, vcpus: u32, load: f64, vms: u32) -> Node {
    Node {
        daemon_state: seen(DaemonState::Run),
        domain_state: seen(DomainState::Ready),
        static_data: seen(StaticData::decode_for_test(16)),
        mem_total: seen(Mib(64_000)),
        mem_free: seen(Mib(free)),
        vcpu_alloc: seen(Vcpus(vcpus)),
        cpu_load: seen(load),
        domains_count: seen(vms),
        ..Node::default()
    }
}

trait ForTest {
    fn decode_for_test(cpus: u32) -> Self;
}

impl ForTest for StaticData {
    fn decode_for_test(cpu_count: u32) -> Self {
        Self { cpu_count, kernel: "6".into(), os: "GNU/Linux".into(), arch: "x86_64".into() }
    }
}

fn uuid(n: u32) -> VmUuid {
    format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

fn vm(state: VmState, on: &str, memory: u64) -> Vm {
    let resources = Some(Resources { memory: Mib(memory), vcpus: Vcpus(1), rbd_only: false });
    Vm { state: seen(state), node: seen(Some(name(on))), resources, ..Vm::default() }
}

/// Three nodes, each best by another measure.
fn view() -> View {
    let nodes = [
        ("hv1", node(40_000, 20, 3.0, 9)),
        ("hv2", node(30_000, 4, 2.0, 8)),
        ("hv3", node(20_000, 12, 1.0, 2)),
    ];
    let nodes = nodes.into_iter().map(|(n, node)| (name(n), Arc::new(node))).collect();
    View { nodes, ..View::default() }
}

const SMALL: Resources = Resources { memory: Mib(1000), vcpus: Vcpus(1), rbd_only: false };

fn request(selector: Selector) -> Request<'static> {
    Request { selector: Some(selector), needs: SMALL, ..Request::default() }
}

#[track_caller]
fn check(view: &View, request: &Request<'_>, expected: &str) {
    assert_eq!(Ledger::open(view).place(request).unwrap(), name(expected));
}

#[test]
fn each_selector_has_its_own_favourite() {
    let mut view = view();
    check(&view, &request(Selector::Mem), "hv1");
    check(&view, &request(Selector::Vcpus), "hv2");
    check(&view, &request(Selector::Load), "hv3");
    check(&view, &request(Selector::Vms), "hv3");
    view.vms.insert(uuid(1), Arc::new(vm(VmState::Stop, "hv1", 10_000)));
    view.vms.insert(uuid(2), Arc::new(vm(VmState::Stop, "hv2", 5_000)));
    check(&view, &request(Selector::MemProv), "hv3");
}

#[test]
fn a_burst_is_spread() {
    let view = view();
    let mut ledger = Ledger::open(&view);
    let needs = Resources { memory: Mib(9_000), vcpus: Vcpus(1), rbd_only: false };
    let ask = Request { needs, ..request(Selector::Mem) };
    let chosen: Vec<String> = (0..6).map(|_| ledger.place(&ask).unwrap().to_string()).collect();
    assert_eq!(chosen, ["hv1", "hv1", "hv2", "hv1", "hv2", "hv3"]);
}

#[test]
fn what_is_on_its_way_counts_until_the_nodes_own_figures_show_it() {
    let mut view = view();
    let coming = vm(VmState::Migrate, "hv1", 15_000);
    view.vms.insert(uuid(1), Arc::new(coming));
    check(&view, &request(Selector::Mem), "hv2");
    let mut hv1 = node(40_000, 20, 3.0, 9);
    hv1.running_domains = seen(vec![uuid(1)]);
    view.nodes.insert(name("hv1"), Arc::new(hv1));
    check(&view, &request(Selector::Mem), "hv1");
}

#[test]
fn limits_and_the_node_being_left_are_respected() {
    let view = view();
    let limit = [name("hv2"), name("hv3")];
    check(&view, &Request { limit: &limit, ..request(Selector::Mem) }, "hv2");
    let hv1 = name("hv1");
    check(&view, &Request { except: Some(&hv1), ..request(Selector::Mem) }, "hv2");
}

#[test]
fn the_clusters_selector_serves_a_vm_without_its_own() {
    let mut view = view();
    let ask = Request { needs: SMALL, ..Request::default() };
    check(&view, &ask, "hv1");
    let cluster = pvc_common::view::Cluster {
        default_selector: seen(Some(Selector::Vcpus)),
        ..Default::default()
    };
    view.cluster = Arc::new(cluster);
    check(&view, &ask, "hv2");
}

#[test]
fn a_vm_that_fits_nowhere_is_told_why_for_each_node() {
    let mut view = view();
    let mut flushed = node(90_000, 0, 0.0, 0);
    flushed.domain_state = seen(DomainState::Flushed);
    view.nodes.insert(name("hv1"), Arc::new(flushed));
    view.nodes.insert(name("hv2"), Arc::new(Node { mem_free: Seen::Absent, ..node(0, 0, 0.0, 0) }));
    let needs = Resources { memory: Mib(50_000), vcpus: Vcpus(1), rbd_only: false };
    let refused = Ledger::open(&view).place(&Request { needs, ..Request::default() }).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "no node can take it (hv1: not ready; hv2: its figures cannot be read; \
         hv3: 20000 MiB of memory free, 50000 MiB needed)"
    );
}

#[test]
fn a_node_that_runs_no_vms_is_given_none() {
    let mut view = view();
    let presence = seen(Presence { without_vms: true, ..Presence::default() });
    let liveness = Liveness { presence, ..Liveness::default() };
    view.nodes.insert(name("hv1"), Arc::new(Node { liveness, ..node(90_000, 0, 0.0, 0) }));
    check(&view, &request(Selector::Mem), "hv2");
    let only = [name("hv1")];
    let only = Request { limit: &only, ..request(Selector::Mem) };
    let refused = Ledger::open(&view).place(&only).unwrap_err().to_string();
    assert!(refused.contains("hv1: it runs no VMs"), "{refused}");
}

#[test]
fn equal_nodes_are_taken_by_name() {
    let nodes = ["hv2", "hv1"].map(|n| (name(n), Arc::new(node(1000, 0, 0.0, 0))));
    let view = View { nodes: nodes.into_iter().collect(), ..View::default() };
    check(&view, &request(Selector::Mem), "hv1");
}

#[test]
fn a_vm_goes_where_the_function_it_needs_is_and_no_second_one_after_it() {
    use pvc_common::model::{Attachment, Sriov, Vf, VmFunction};
    let mut view = view();
    let vf: pvc_common::id::SriovName = "ens1f0v0".parse().unwrap();
    for on in ["hv2", "hv3"] {
        let sriov = Sriov { vfs: [(vf.clone(), Vf::default())].into(), ..Sriov::default() };
        let node = view.nodes.get(&name(on)).unwrap();
        let node = Node { sriov: Some(Box::new(sriov)), ..(**node).clone() };
        view.nodes.insert(name(on), Arc::new(node));
    }
    let functions = [VmFunction { attachment: Attachment::Macvtap, name: Some(vf), pci: None }];
    let ask = Request { functions: &functions, ..request(Selector::Mem) };
    let mut ledger = Ledger::open(&view);
    assert_eq!(ledger.place(&ask).unwrap(), name("hv2"), "hv1 is freer but has none");
    assert_eq!(ledger.place(&ask).unwrap(), name("hv3"), "that of hv2 was given away");
    let refused = ledger.place(&ask).unwrap_err().to_string();
    for why in ["hv1: it has no VF ens1f0v0", "hv3: its VF ens1f0v0 was just given to another VM"] {
        assert!(refused.contains(why), "{refused}");
    }
}
