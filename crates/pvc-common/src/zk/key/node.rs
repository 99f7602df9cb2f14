//! Keys below `/nodes/{node}`.

use super::{Key, NODES};
use crate::id::{NodeName, VmUuid};
use crate::model::{
    Fence, FenceLease, FenceOrder, Fenceable, Json, Presence, StaticData, Suspicion,
};
use crate::state::{CoordinatorState, DaemonMode, DaemonState, DomainState};
use crate::unit::{Mib, Vcpus};

/// The suffixes below a node, for reading a node key by key.
pub mod node_suffix {
    /// UNIX seconds of the last keepalive.
    pub const KEEPALIVE: &str = "/keepalive";
    /// Coordinator or hypervisor.
    pub const MODE: &str = "/daemonmode";
    /// Schema version the daemon has loaded.
    pub const ACTIVE_SCHEMA: &str = "/activeschema";
    /// Newest schema version the daemon could load.
    pub const LATEST_SCHEMA: &str = "/latestschema";
    /// Processors, kernel, operating system and architecture.
    pub const STATIC_DATA: &str = "/staticdata";
    /// Version of the daemon.
    pub const PVC_VERSION: &str = "/pvcversion";
    /// UUIDs of the VMs that run here.
    pub const RUNNING_DOMAINS: &str = "/runningdomains";
    /// Number of VMs that run here.
    pub const DOMAINS_COUNT: &str = "/domainscount";
    /// Number of networks; upstream never updates it.
    pub const NETWORKS_COUNT: &str = "/networkscount";
    /// State of the daemon.
    pub const DAEMON_STATE: &str = "/daemonstate";
    /// Coordinator state.
    pub const COORDINATOR_STATE: &str = "/routerstate";
    /// Domain state.
    pub const DOMAIN_STATE: &str = "/domainstate";
    /// Load average of one minute.
    pub const CPU_LOAD: &str = "/cpuload";
    /// Virtual processors of running VMs.
    pub const VCPU_ALLOC: &str = "/vcpualloc";
    /// Total memory in MiB.
    pub const MEM_TOTAL: &str = "/memtotal";
    /// Used memory in MiB.
    pub const MEM_USED: &str = "/memused";
    /// Available memory in MiB.
    pub const MEM_FREE: &str = "/memfree";
    /// Memory of running VMs in MiB.
    pub const MEM_ALLOC: &str = "/memalloc";
    /// Memory of all VMs assigned here in MiB.
    pub const MEM_PROV: &str = "/memprov";
    /// Host name of the BMC.
    pub const IPMI_HOSTNAME: &str = "/ipmihostname";
    /// User of the BMC.
    pub const IPMI_USERNAME: &str = "/ipmiusername";
    /// Password of the BMC.
    pub const IPMI_PASSWORD: &str = "/ipmipassword";
    /// Parent of SR-IOV devices.
    pub const SRIOV: &str = "/sriov";
    /// Parent of SR-IOV physical functions.
    pub const SRIOV_PF: &str = "/sriov/pf";
    /// Parent of SR-IOV virtual functions.
    pub const SRIOV_VF: &str = "/sriov/vf";
    /// Names of the health checks.
    pub const MONITORING_PLUGINS: &str = "/monitoring_plugins";
    /// Parent of health check results.
    pub const MONITORING_DATA: &str = "/monitoring_data";
    /// Health in percent, or `None`.
    pub const MONITORING_HEALTH: &str = "/monitoring_health";
    /// Traffic of each interface, as JSON.
    pub const NETWORK_STATS: &str = "/network_stats";
    /// What a running daemon tells of itself and its host (since version 17).
    pub const PRESENCE: &str = "/presence";
    /// Its promise to end when nobody hears it (since version 17).
    pub const LEASE: &str = "/lease";
    /// Whether its BMC answers (since version 17).
    pub const FENCEABLE: &str = "/fenceable";
    /// Whom it hears, as JSON (since version 17).
    pub const HEARS: &str = "/hears";
    /// Parent of what others suspect it by (since version 17).
    pub const SUSPICIONS: &str = "/suspicions";
    /// The fence under way (since version 17).
    pub const FENCE: &str = "/fence";
    /// What a person ordered about it (since version 17).
    pub const FENCE_ORDER: &str = "/fence_order";
    /// Why its storage clients may be shut out (since version 17).
    pub const SHUT_OUT: &str = "/shut_out";
}

use node_suffix as suffix;

fn at<T>(node: &NodeName, suffix: &str) -> Key<T> {
    Key::new(format!("{NODES}/{node}{suffix}"))
}

/// `/nodes/{node}`: the node's mode once more, as upstream has it. Written by: node, at start.
#[must_use]
pub fn node(node: &NodeName) -> Key<String> {
    at(node, "")
}

/// `/nodes/{node}/keepalive`: UNIX seconds by the node's own clock.
///
/// Only its change says anything: the clocks of two machines are never compared.
/// Written by: node.
#[must_use]
pub fn node_keepalive(node: &NodeName) -> Key<u64> {
    at(node, suffix::KEEPALIVE)
}

/// `/nodes/{node}/daemonmode`. Written by: node, at start.
#[must_use]
pub fn node_mode(node: &NodeName) -> Key<DaemonMode> {
    at(node, suffix::MODE)
}

/// `/nodes/{node}/activeschema`. Written by: node, at start.
#[must_use]
pub fn node_active_schema(node: &NodeName) -> Key<u32> {
    at(node, suffix::ACTIVE_SCHEMA)
}

/// `/nodes/{node}/latestschema`. Written by: node, at start.
#[must_use]
pub fn node_latest_schema(node: &NodeName) -> Key<u32> {
    at(node, suffix::LATEST_SCHEMA)
}

/// `/nodes/{node}/staticdata`: `<processors> <kernel release> <operating system> <architecture>`.
///
/// Written by: node, at start.
#[must_use]
pub fn node_static_data(node: &NodeName) -> Key<StaticData> {
    at(node, suffix::STATIC_DATA)
}

/// `/nodes/{node}/pvcversion`. Written by: node, at start.
#[must_use]
pub fn node_pvc_version(node: &NodeName) -> Key<String> {
    at(node, suffix::PVC_VERSION)
}

/// `/nodes/{node}/runningdomains`. Written by: node, fence.
#[must_use]
pub fn node_running_domains(node: &NodeName) -> Key<Vec<VmUuid>> {
    at(node, suffix::RUNNING_DOMAINS)
}

/// `/nodes/{node}/domainscount`. Written by: node, fence.
#[must_use]
pub fn node_domains_count(node: &NodeName) -> Key<u32> {
    at(node, suffix::DOMAINS_COUNT)
}

/// `/nodes/{node}/networkscount`. Written by: node.
#[must_use]
pub fn node_networks_count(node: &NodeName) -> Key<u32> {
    at(node, suffix::NETWORKS_COUNT)
}

/// `/nodes/{node}/daemonstate`.
///
/// Written by: node; fence (only to [`DaemonState::Dead`] and [`DaemonState::Fenced`]).
#[must_use]
pub fn node_daemon_state(node: &NodeName) -> Key<DaemonState> {
    at(node, suffix::DAEMON_STATE)
}

/// `/nodes/{node}/routerstate`. Written by: node; fence (to secondary).
#[must_use]
pub fn node_coordinator_state(node: &NodeName) -> Key<CoordinatorState> {
    at(node, suffix::COORDINATOR_STATE)
}

/// `/nodes/{node}/domainstate`.
///
/// Written by: API (flush, unflush); node (flushed, ready); fence (fence-flush, flushed); and, as it
/// is, by whoever places a VM on the node.
#[must_use]
pub fn node_domain_state(node: &NodeName) -> Key<DomainState> {
    at(node, suffix::DOMAIN_STATE)
}

/// `/nodes/{node}/cpuload`. Written by: node, fence.
#[must_use]
pub fn node_cpu_load(node: &NodeName) -> Key<f64> {
    at(node, suffix::CPU_LOAD)
}

/// `/nodes/{node}/vcpualloc`. Written by: node, fence.
#[must_use]
pub fn node_vcpu_alloc(node: &NodeName) -> Key<Vcpus> {
    at(node, suffix::VCPU_ALLOC)
}

/// `/nodes/{node}/memtotal`. Written by: node, fence.
#[must_use]
pub fn node_mem_total(node: &NodeName) -> Key<Mib> {
    at(node, suffix::MEM_TOTAL)
}

/// `/nodes/{node}/memused`. Written by: node, fence.
#[must_use]
pub fn node_mem_used(node: &NodeName) -> Key<Mib> {
    at(node, suffix::MEM_USED)
}

/// `/nodes/{node}/memfree`. Written by: node, fence.
#[must_use]
pub fn node_mem_free(node: &NodeName) -> Key<Mib> {
    at(node, suffix::MEM_FREE)
}

/// `/nodes/{node}/memalloc`. Written by: node, fence.
#[must_use]
pub fn node_mem_alloc(node: &NodeName) -> Key<Mib> {
    at(node, suffix::MEM_ALLOC)
}

/// `/nodes/{node}/memprov`. Written by: node, fence.
#[must_use]
pub fn node_mem_prov(node: &NodeName) -> Key<Mib> {
    at(node, suffix::MEM_PROV)
}

/// `/nodes/{node}/ipmihostname`. Written by: node, at every start.
#[must_use]
pub fn node_ipmi_hostname(node: &NodeName) -> Key<String> {
    at(node, suffix::IPMI_HOSTNAME)
}

/// `/nodes/{node}/ipmiusername`. Written by: node, at every start.
#[must_use]
pub fn node_ipmi_username(node: &NodeName) -> Key<String> {
    at(node, suffix::IPMI_USERNAME)
}

/// `/nodes/{node}/ipmipassword`: a secret; never logged or answered. Written by: node, at every start.
#[must_use]
pub fn node_ipmi_password(node: &NodeName) -> Key<String> {
    at(node, suffix::IPMI_PASSWORD)
}

/// `/nodes/{node}/monitoring_health`: percent, or `None` before the first check. Written by: node, fence.
#[must_use]
pub fn node_health(node: &NodeName) -> Key<String> {
    at(node, suffix::MONITORING_HEALTH)
}

/// `/nodes/{node}/network_stats`: JSON by interface. Written by: node.
#[must_use]
pub fn node_network_stats(node: &NodeName) -> Key<Json> {
    at(node, suffix::NETWORK_STATS)
}

/// `/nodes/{node}/presence`: what a running daemon tells of itself and its host.
///
/// Written by: node, at start.
#[must_use]
pub fn node_presence(node: &NodeName) -> Key<Presence> {
    at(node, suffix::PRESENCE)
}

/// `/nodes/{node}/lease`: its promise to end when nobody hears it. Written by: node.
#[must_use]
pub fn node_lease(node: &NodeName) -> Key<Option<FenceLease>> {
    at(node, suffix::LEASE)
}

/// `/nodes/{node}/fenceable`: whether its BMC answers. Written by: node.
#[must_use]
pub fn node_fenceable(node: &NodeName) -> Key<Fenceable> {
    at(node, suffix::FENCEABLE)
}

/// `/nodes/{node}/hears`: whom it hears, JSON by node and network. Written by: node.
#[must_use]
pub fn node_hears(node: &NodeName) -> Key<Json> {
    at(node, suffix::HEARS)
}

/// `/nodes/{node}/suspicions`: parent of [`node_suspicion`]. Written by: node, at start.
#[must_use]
pub fn node_suspicions(node: &NodeName) -> Key<String> {
    at(node, suffix::SUSPICIONS)
}

/// `/nodes/{node}/suspicions/{observer}`: what an observer holds against the node.
///
/// Ephemeral: it ends with the observer's session. Written by: the observer.
#[must_use]
pub fn node_suspicion(node: &NodeName, observer: &NodeName) -> Key<Suspicion> {
    at(node, &format!("{}/{observer}", suffix::SUSPICIONS))
}

/// `/nodes/{node}/fence`: the fence under way.
///
/// Written by: the coordinator it names; any other that takes it over by writing its own name.
#[must_use]
pub fn node_fence(node: &NodeName) -> Key<Fence> {
    at(node, suffix::FENCE)
}

/// `/nodes/{node}/shut_out`: why its storage clients may be on Ceph's blocklist, for people.
///
/// While it is there, the node does not serve. Written by: fence, as it begins; node, which takes
/// it away once it is let in.
#[must_use]
pub fn node_shut_out(node: &NodeName) -> Key<String> {
    at(node, suffix::SHUT_OUT)
}

/// `/nodes/{node}/fence_order`: what a person ordered. Written by: API; fence, once it is done.
#[must_use]
pub fn node_fence_order(node: &NodeName) -> Key<FenceOrder> {
    at(node, suffix::FENCE_ORDER)
}
