//! A synthetic cluster as the tree holds it: pure, and the same each time.

use std::sync::Arc;

use anyhow::Result;
use pvc_common::id::{NodeName, TagName, VmUuid, VolumeId};
use pvc_common::model::{Claim, Json, StaticData};
use pvc_common::state::{CoordinatorState, DaemonMode, DaemonState, DomainState, VmState};
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::zk::{Op, Text, key, migrate, schema};
use serde_json::json;

use crate::storage::storage;

/// A definition of 3 KB as the provisioner makes them.
const DEFINITION: &str = include_str!("vm.xml");
/// As many VMs as a large node runs.
const VMS_PER_NODE: usize = 250;
/// Every tenth VM is at rest.
const AT_REST: usize = 10;
const VM_MEMORY: Mib = Mib(2048);
const VM_VCPUS: Vcpus = Vcpus(2);

/// How large a cluster is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Number of nodes, at least one.
    pub(crate) nodes: usize,
    /// Number of VMs.
    pub(crate) vms: usize,
    /// Number of volumes.
    pub(crate) volumes: usize,
}

impl Size {
    /// With as many nodes as such a number of VMs needs, and no storage.
    pub(crate) fn of_vms(vms: usize) -> Self {
        Self { nodes: vms.div_ceil(VMS_PER_NODE).max(3), vms, volumes: 0 }
    }

    /// With volumes, but without VMs.
    pub(crate) fn of_volumes(volumes: usize) -> Self {
        Self { volumes, ..Self::of_vms(0) }
    }
}

/// The VM of this number.
pub(crate) fn vm_name(n: usize) -> String {
    format!("vm{n:05}")
}

fn vm_uuid(n: usize) -> Result<VmUuid> {
    Ok(format!("b0000000-0000-4000-8000-{n:012}").parse()?)
}

/// Whether the VM of this number runs.
pub(crate) fn runs(n: usize) -> bool {
    !n.is_multiple_of(AT_REST)
}

/// The node of the VM of this number, counted from zero.
pub(crate) fn node_of(n: usize, size: Size) -> usize {
    n % size.nodes
}

/// Everything, parents first.
pub(crate) fn cluster(size: Size) -> Result<Vec<Op>> {
    let nodes: Vec<NodeName> =
        (1..=size.nodes).map(|n| format!("hv{n}").parse()).collect::<Result<_, _>>()?;
    let mut ops = migrate::initialise();
    for (at, name) in nodes.iter().enumerate() {
        let vms = (0..size.vms).filter(|n| node_of(*n, size) == at && runs(*n));
        node(name, at, &vms.map(vm_uuid).collect::<Result<Vec<_>>>()?, &mut ops);
    }
    for n in 0..size.vms {
        vm(n, &nodes[node_of(n, size)], &mut ops)?;
    }
    storage(size.volumes, &mut ops)?;
    Ok(ops)
}

fn node(me: &NodeName, at: usize, running: &[VmUuid], ops: &mut Vec<Op>) {
    // The first is the measured one, which is no coordinator.
    let (mode, part) = match at {
        1 => (DaemonMode::Coordinator, CoordinatorState::Primary),
        2 | 3 => (DaemonMode::Coordinator, CoordinatorState::Secondary),
        _ => (DaemonMode::Hypervisor, CoordinatorState::Client),
    };
    let count = u32::try_from(running.len()).unwrap_or(u32::MAX);
    let allocated = Mib(VM_MEMORY.0 * u64::from(count));
    let facts = StaticData {
        cpu_count: 64,
        kernel: "6.1.0-18-amd64".to_owned(),
        os: "GNU/Linux".to_owned(),
        arch: "x86_64".to_owned(),
    };
    ops.extend([
        key::node(me).create(&mode.encode()),
        key::node_keepalive(me).create(&1_700_000_000),
        key::node_mode(me).create(&mode),
        key::node_daemon_state(me).create(&DaemonState::Run),
        key::node_coordinator_state(me).create(&part),
        key::node_domain_state(me).create(&DomainState::Ready),
        key::node_static_data(me).create(&facts),
        key::node_pvc_version(me).create(&"2.0.0".to_owned()),
        key::node_active_schema(me).create(&schema::LATEST),
        key::node_latest_schema(me).create(&schema::LATEST),
        key::node_running_domains(me).create(&running.to_vec()),
        key::node_domains_count(me).create(&count),
        key::node_networks_count(me).create(&2),
        key::node_cpu_load(me).create(&4.25),
        key::node_vcpu_alloc(me).create(&Vcpus(VM_VCPUS.0 * count)),
        key::node_mem_total(me).create(&Mib(1_024_000)),
        key::node_mem_used(me).create(&Mib(allocated.0 + 4_096)),
        key::node_mem_free(me).create(&Mib(1_019_904 - allocated.0)),
        key::node_mem_alloc(me).create(&allocated),
        key::node_mem_prov(me).create(&allocated),
        key::node_health(me).create(&"100".to_owned()),
    ]);
}

fn vm(n: usize, node: &NodeName, ops: &mut Vec<Op>) -> Result<()> {
    let (uuid, name) = (vm_uuid(n)?, vm_name(n));
    let volumes = ["root", "data"].map(|disk| format!("vms/{name}_{disk}").parse::<VolumeId>());
    let runs = runs(n);
    let state = if runs { VmState::Start } else { VmState::Stop };
    let tag: TagName = format!("team{}", n % 7).parse()?;
    let stats = if runs { stats(n, &name).to_string() } else { String::new() };
    let console = "\nDebian GNU/Linux 12 ttyS0\n\nlogin: ";
    ops.extend([
        key::vm_name(uuid).create(&name.parse()?),
        key::vm_xml(uuid).create(&Arc::from(definition(n, uuid, &name))),
        key::vm_state(uuid).create(&state),
        key::vm_profile(uuid).create(&Some("standard".to_owned())),
        key::vm_stats(uuid).create(&Json::decode(&stats)?),
        key::vm_node(uuid).create(&Some(node.clone())),
        key::vm_last_node(uuid).create(&None),
        key::vm_failed_reason(uuid).create(&String::new()),
        key::vm_rbd_list(uuid).create(&volumes.into_iter().collect::<Result<_, _>>()?),
        key::vm_console_log(uuid).create(&Arc::from(console)),
        key::vm_vnc(uuid).create(&String::new()),
        key::vm_autostart(uuid).create(&false),
        key::vm_migration_method(uuid).create(&None),
        key::vm_max_downtime(uuid).create(&300),
        key::vm_selector(uuid).create(&None),
        key::vm_node_limit(uuid).create(&Vec::new()),
        key::vm_migrate_sync_lock(uuid).create(&String::new()),
        key::vm_migrate_origin(uuid).create(&None),
        Op::Create { path: key::vm_snapshots(uuid).into_path(), data: Vec::new() },
        Op::Create { path: key::vm_tags(uuid).into_path(), data: Vec::new() },
        key::vm_tag(uuid, &tag).create(&tag.to_string()),
        key::vm_tag_type(uuid, &tag).create(&"user".to_owned()),
        key::vm_tag_protected(uuid, &tag).create(&false),
    ]);
    if runs {
        let claim = Claim::of(node.clone());
        ops.push(key::vm_claim(uuid).create(&claim));
    }
    Ok(())
}

fn definition(n: usize, uuid: VmUuid, name: &str) -> String {
    let mac = format!("{:02x}:{:02x}:{:02x}", n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff);
    DEFINITION
        .replace("{name}", name)
        .replace("{uuid}", &uuid.to_string())
        .replace("{memory}", &VM_MEMORY.0.to_string())
        .replace("{vcpus}", &VM_VCPUS.0.to_string())
        .replace("{mac}", &mac)
}

/// As the node daemon publishes them; the figures are of the usual length.
fn stats(n: usize, name: &str) -> serde_json::Value {
    let much = 1_000_000_000 + n;
    let disk = |disk: &str| {
        json!({"name": format!("vms/{name}_{disk}"), "rd_req": 123_456, "rd_bytes": much,
               "wr_req": 654_321, "wr_bytes": much, "err": 0})
    };
    let nic = |nic: usize| {
        json!({"name": format!("vnet{}", 2 * n + nic), "bridge": format!("vmbr{}", 1001 + nic),
               "rd_bytes": much, "rd_packets": 123_456, "rd_errors": 0, "rd_drops": 0,
               "wr_bytes": much, "wr_packets": 654_321, "wr_errors": 0, "wr_drops": 0})
    };
    json!({
        "state": "RUNNING", "maxmem": 2_097_152, "livemem": 2_097_152, "cpus": VM_VCPUS.0,
        "cputime": much,
        "mem_stats": {"actual": 2_097_152, "swap_in": 0, "swap_out": 0, "major_fault": 1_234,
                      "minor_fault": 12_345_678, "unused": 1_048_576, "available": 2_040_000,
                      "last_update": 1_700_000_000, "rss": 2_100_000},
        "cpu_stats": {"cpu_time": much, "user_time": much / 2, "system_time": much / 3},
        "disk_stats": [disk("root"), disk("data")],
        "net_stats": [nic(0), nic(1)],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_is_made_once_and_after_its_parent() {
        let ops = cluster(Size { nodes: 4, vms: 30, volumes: 5 }).unwrap();
        let mut made = BTreeSet::from([String::new()]);
        for op in &ops {
            let (parent, _) = op.path().rsplit_once('/').unwrap();
            assert!(made.contains(parent), "{} has no parent", op.path());
            assert!(made.insert(op.path().to_owned()), "{} is made twice", op.path());
        }
    }

    #[test]
    fn a_definition_is_three_kilobytes() {
        let length = definition(12, vm_uuid(12).unwrap(), &vm_name(12)).len();
        assert!((2_900..3_300).contains(&length), "{length}");
    }
}
