//! What a VM is and uses.

use std::sync::Arc;

use pvc_common::api::Vm;
use pvc_common::state::{VmState, Word};

use super::health::UNKNOWN;
use super::text::{Labels, Metric, Sample, Subject};
use crate::image::{Shown, View, without_snapshots};

/// Metrics of a VM.
pub(super) const METRICS: &[Metric<Vm>] = &[
    Metric::new("pvc_vm_uuid", "UUID of a VM", |vm| Some(Sample::text("uuid", &vm.uuid))),
    Metric::new("pvc_vm_description", "Description of a VM", |vm| {
        Some(Sample::text("description", &vm.description))
    }),
    Metric::new("pvc_vm_profile", "Provisioner profile of a VM", |vm| {
        Some(Sample::text("profile", &vm.profile))
    }),
    Metric::new(
        "pvc_vm_state",
        "State of a VM: start 0, migrate 1, unmigrate 2, provision 3, disable 4, shutdown 5, \
         restart 6, stop 7, fail 8, import 9, restore 10, delete 11, mirror 99, unknown 100",
        |vm| Some(state(&vm.state)),
    ),
    Metric::new("pvc_vm_failed_reason", "Why a VM is in state fail", |vm| {
        Some(Sample::text("failed_reason", &vm.failed_reason))
    }),
    Metric::new("pvc_vm_node_limit", "Nodes that a VM may run on, if not on all", |vm| {
        let nodes = vm.node_limit.as_ref().map(|nodes| nodes.join(","));
        Some(Sample::text("node_limit", nodes.unwrap_or_default()))
    }),
    Metric::new("pvc_vm_node_selector", "Measure by which the node of a VM is chosen", |vm| {
        Some(Sample::text("node_selector", vm.node_selector.as_deref().unwrap_or(NONE)))
    }),
    Metric::new("pvc_vm_autostart", "Whether a VM starts when its node becomes ready", |vm| {
        Some(Sample::flag(vm.node_autostart))
    }),
    Metric::new("pvc_vm_migration_method", "How a VM may be moved", |vm| {
        Some(Sample::text("migration_method", vm.migration_method.as_deref().unwrap_or(NONE)))
    }),
    Metric::new("pvc_vm_tags", "Tags of a VM", |vm| {
        let tags: Vec<&str> = vm.tags.iter().map(|tag| tag.name.as_str()).collect();
        Some(Sample::text("tags", tags.join(",")))
    }),
    Metric::new("pvc_vm_active_node", "Node that a VM runs on or should run on", |vm| {
        Some(Sample::text("node", &vm.node))
    }),
    Metric::new("pvc_vm_migrated", "Whether a VM is away, and from which node", |vm| {
        Some(Sample::flag(!vm.last_node.is_empty()).labelled("last_node", &vm.last_node))
    }),
    Metric::new("pvc_vm_machine_type", "Machine type of a VM", |vm| {
        Some(Sample::text("machine_type", &vm.machine))
    }),
    Metric::new("pvc_vm_serial_console", "Whether a VM has a serial console", |vm| {
        Some(Sample::flag(!vm.console.is_empty()))
    }),
    Metric::new("pvc_vm_vnc_console", "Whether the screen of a VM can be seen by VNC", |vm| {
        Some(Sample::flag(vm.vnc.port.is_some()))
    }),
    Metric::new("pvc_vm_vnc_listen_address", "Address of the screen of a VM", |vm| {
        Some(Sample::text("vnc_listen_address", vm.vnc.listen.as_deref()?))
    }),
    Metric::new("pvc_vm_vnc_listen_port", "Port of the screen of a VM", |vm| {
        Some(Sample::whole(vm.vnc.port.as_deref()?.parse::<u16>().ok()?))
    }),
    Metric::new("pvc_vm_vcpus", "Virtual processors of a VM", |vm| Some(Sample::whole(vm.vcpu))),
    Metric::new(
        "pvc_vm_vcpu_topology",
        "Virtual processors of a VM as sockets, cores and threads",
        |vm| Some(Sample::text("vcpu_topology", &vm.vcpu_topology)),
    ),
    Metric::new("pvc_vm_vcpus_cpu_time", "Processor time of a VM in nanoseconds", |vm| {
        cpu(vm, "cpu_time")
    }),
    Metric::new(
        "pvc_vm_vcpus_user_time",
        "Processor time of a VM's host process in nanoseconds",
        |vm| cpu(vm, "user_time"),
    ),
    Metric::new(
        "pvc_vm_vcpus_system_time",
        "Processor time of the host's kernel for a VM in nanoseconds",
        |vm| cpu(vm, "system_time"),
    ),
    Metric::new("pvc_vm_memory", "Memory of a VM in MiB", |vm| Some(Sample::whole(vm.memory))),
    Metric::new("pvc_vm_memory_stats_actual", "Memory a VM has now in KiB", |vm| {
        memory(vm, "actual")
    }),
    Metric::new("pvc_vm_memory_stats_rss", "Memory a VM takes of its host in KiB", |vm| {
        memory(vm, "rss")
    }),
    Metric::new("pvc_vm_memory_stats_unused", "Memory a VM does not use at all in KiB", |vm| {
        memory(vm, "unused")
    }),
    Metric::new("pvc_vm_memory_stats_available", "Memory a VM's system sees in KiB", |vm| {
        memory(vm, "available")
    }),
    Metric::new("pvc_vm_memory_stats_usable", "Memory a VM could give away in KiB", |vm| {
        memory(vm, "usable")
    }),
    Metric::new("pvc_vm_memory_stats_disk_caches", "Memory a VM caches disks in, in KiB", |vm| {
        memory(vm, "disk_caches")
    }),
    Metric::new("pvc_vm_memory_stats_swap_in", "What a VM read from its swap in KiB", |vm| {
        memory(vm, "swap_in")
    }),
    Metric::new("pvc_vm_memory_stats_swap_out", "What a VM wrote to its swap in KiB", |vm| {
        memory(vm, "swap_out")
    }),
    Metric::new(
        "pvc_vm_memory_stats_major_fault",
        "Page faults of a VM that needed a disk",
        |vm| memory(vm, "major_fault"),
    ),
    Metric::new(
        "pvc_vm_memory_stats_minor_fault",
        "Page faults of a VM that needed no disk",
        |vm| memory(vm, "minor_fault"),
    ),
    Metric::new("pvc_vm_memory_stats_hugetlb_pgalloc", "Huge pages that a VM was granted", |vm| {
        memory(vm, "hugetlb_pgalloc")
    }),
    Metric::new("pvc_vm_memory_stats_hugetlb_pgfail", "Huge pages that a VM was refused", |vm| {
        memory(vm, "hugetlb_pgfail")
    }),
];

/// What a preference is called that is left to the cluster.
const NONE: &str = "none";

/// Every VM, by name; without a name of its own, by UUID.
pub(super) fn subjects(view: &View) -> Vec<Subject<Vm>> {
    let vms = view.vms_by_name();
    let name = |at: usize| vms.get(at).map(|shown| shown.name());
    let subject = |(at, shown): (usize, &Arc<Shown>)| {
        let of = without_snapshots(shown.uuid(), shown.vm());
        // Two of one name would be one to Prometheus. As they are sorted, they are neighbours.
        let own = Some(shown.name()).filter(|own| {
            !own.is_empty()
                && at.checked_sub(1).and_then(name) != Some(own)
                && name(at + 1) != Some(own)
        });
        Subject { labels: Labels::of("vm", own.unwrap_or(&of.uuid)), of }
    };
    vms.iter().enumerate().map(subject).collect()
}

/// As a number, as upstream counts them, and as its text.
fn state(text: &str) -> Sample<'static> {
    let state = VmState::parse(text).ok();
    let number: u32 = match state {
        Some(VmState::Start) => 0,
        Some(VmState::Migrate | VmState::MigrateLive) => 1,
        Some(VmState::Unmigrate) => 2,
        Some(VmState::Provision) => 3,
        Some(VmState::Disable) => 4,
        Some(VmState::Shutdown) => 5,
        Some(VmState::Restart) => 6,
        Some(VmState::Stop) => 7,
        Some(VmState::Fail) => 8,
        Some(VmState::Import) => 9,
        Some(VmState::Restore) => 10,
        Some(VmState::Delete) => 11,
        Some(VmState::Mirror) => 99,
        None => 100,
    };
    Sample::whole(number).labelled("state", state.map_or(UNKNOWN, Word::text))
}

fn cpu(vm: &Vm, name: &str) -> Option<Sample<'static>> {
    vm.vcpu_stats.get(name).map(|number| Sample::whole(*number))
}

fn memory(vm: &Vm, name: &str) -> Option<Sample<'static>> {
    vm.memory_stats.get(name).map(|number| Sample::whole(*number))
}
