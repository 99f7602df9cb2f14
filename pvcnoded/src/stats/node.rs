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

#[cfg(test)]
mod tests {
    use pvc_common::id::VmUuid;
    use pvc_common::model::{Resources, Vm};
    use pvc_common::zk::{Seen, Version};

    use super::*;

    fn uuid(n: u32) -> VmUuid {
        format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
    }

    /// A VM that is defined on `node`.
    fn vm(node: &str, memory: u64) -> std::sync::Arc<Vm> {
        let resources = Some(Resources { memory: Mib(memory), vcpus: Vcpus(2), rbd_only: false });
        let node = Seen::Value { value: Some(node.parse().unwrap()), version: Version(0) };
        std::sync::Arc::new(Vm { node, resources, ..Vm::default() })
    }

    fn here(n: u32, run: RunState, memory: u64) -> ObservedVm {
        let name = format!("vm{n}").parse().unwrap();
        ObservedVm { uuid: uuid(n), name, run, memory: Mib(memory), vcpus: Vcpus(2) }
    }

    #[test]
    fn what_is_defined_here_is_provisioned_and_what_runs_here_is_allocated() {
        let defined = [(1, vm("hv1", 1_000)), (2, vm("hv1", 2_000)), (3, vm("hv2", 4_000))];
        let vms = defined.into_iter().map(|(n, vm)| (uuid(n), vm)).collect();
        let view = View { vms, ..View::default() };
        // 1 runs with less than it is defined with by now, 2 has ended, 3 has not left yet, 4 is none
        // of the cluster's.
        let here = [
            here(1, RunState::Running, 900),
            here(3, RunState::Paused, 4_000),
            here(4, RunState::Running, 64_000),
            here(2, RunState::Crashed, 2_000),
        ];
        let host = HostFigures {
            memory_total: Mib(100_000),
            memory_used: Mib(70_000),
            memory_available: Mib(30_000),
            load: 0.5,
        };
        let values = values(&"hv1".parse().unwrap(), &host, &here, &view);
        let value = |suffix: &str| {
            let mut found = values.iter().filter(|(path, _)| path.ends_with(suffix));
            found.next().unwrap_or_else(|| panic!("no {suffix}")).1.as_str()
        };
        assert_eq!(value("/memprov"), "3000");
        assert_eq!(value("/memalloc"), "4900");
        assert_eq!(value("/vcpualloc"), "4");
        assert_eq!(value("/domainscount"), "2");
        assert_eq!(value("/runningdomains"), format!("{} {}", uuid(1), uuid(3)));
    }
}
