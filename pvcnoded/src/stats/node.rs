//! The figures of a node.

use pvc_common::id::NodeName;
use pvc_common::observed::{ObservedVm, RunState};
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::view::View;
use pvc_common::zk::{Text, key};

/// The figures of the machine itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostFigures {
    /// All memory.
    pub memory_total: Mib,
    /// Memory in use.
    pub memory_used: Mib,
    /// Memory that programs can still have.
    pub memory_available: Mib,
    /// Load average of one minute.
    pub load: f64,
}

/// What is published of a node: paths and texts.
///
/// *Allocated* counts what runs; *provisioned* counts every VM assigned here, running or not,
/// by its definition.
pub(super) fn values(
    me: &NodeName,
    host: &HostFigures,
    here: &[ObservedVm],
    view: &View,
) -> Vec<(String, String)> {
    let running: Vec<&ObservedVm> = here
        .iter()
        .filter(|vm| matches!(vm.run, RunState::Running | RunState::Paused))
        .filter(|vm| view.vms.contains_key(&vm.uuid))
        .collect();
    let allocated: Mib = running.iter().map(|vm| vm.memory).sum();
    let vcpus: Vcpus = running.iter().map(|vm| vm.vcpus).sum();
    let count = u32::try_from(running.len()).unwrap_or(u32::MAX);
    let mut uuids: Vec<_> = running.iter().map(|vm| vm.uuid).collect();
    uuids.sort_unstable();
    vec![
        text(key::node_mem_total(me), &host.memory_total),
        text(key::node_mem_used(me), &host.memory_used),
        text(key::node_mem_free(me), &host.memory_available),
        text(key::node_mem_alloc(me), &allocated),
        text(key::node_mem_prov(me), &provisioned(me, view)),
        text(key::node_vcpu_alloc(me), &vcpus),
        text(key::node_cpu_load(me), &host.load),
        text(key::node_domains_count(me), &count),
        text(key::node_running_domains(me), &uuids),
    ]
}

/// The figures in one line, for the log.
pub(super) fn details(host: &HostFigures, here: &[ObservedVm], view: &View) -> String {
    let maintenance = view.cluster.maintenance.get().is_some_and(|text| text == "true");
    format!(
        "[Maintenance: {}] [Nodes: {}] [VMs: {} here, {} in all] [Load: {:.2}] \
         [Memory (MiB): {} total, {} used, {} free]",
        if maintenance { "on" } else { "off" },
        view.nodes.len(),
        here.len(),
        view.vms.len(),
        host.load,
        host.memory_total,
        host.memory_used,
        host.memory_available,
    )
}

fn provisioned(me: &NodeName, view: &View) -> Mib {
    view.vms
        .values()
        .filter(|vm| vm.node.get().and_then(Option::as_ref) == Some(me))
        .filter_map(|vm| vm.resources)
        .map(|needs| needs.memory)
        .sum()
}

fn text<T: Text>(key: key::Key<T>, value: &T) -> (String, String) {
    (key.into_path(), value.encode())
}
