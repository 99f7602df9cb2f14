//! The cluster as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Fault, Health};

/// Answer of `GET /status/primary_node`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PrimaryNode {
    /// The node that is primary.
    pub primary_node: String,
}

/// Answer of `GET /status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The cluster's name.
    #[serde(default)]
    pub cluster_name: String,
    /// Health of the cluster.
    pub cluster_health: ClusterHealth,
    /// Health of each node, by name.
    #[serde(default)]
    pub node_health: BTreeMap<String, NodeHealth>,
    /// `true` while no node shall be fenced; `false`, or empty if it was never set.
    #[serde(default)]
    pub maintenance: String,
    /// The node that is or shall be primary; `none` during a hand-over.
    #[serde(default)]
    pub primary_node: String,
    /// Version of the primary node's daemon.
    #[serde(default)]
    pub pvc_version: String,
    /// The floating upstream address with its prefix.
    #[serde(default)]
    pub upstream_ip: String,
    /// Nodes, counted by `<daemon state>,<domain state>`.
    pub nodes: StateCounts,
    /// VMs, counted by state.
    pub vms: StateCounts,
    /// Number of networks.
    pub networks: u64,
    /// OSDs, counted by `<up or down>,<in or out>`.
    pub osds: StateCounts,
    /// Number of pools.
    pub pools: u64,
    /// Number of volumes.
    pub volumes: u64,
    /// Number of volume snapshots.
    pub snapshots: u64,
    /// What the nodes have and use, in sum.
    pub resources: Resources,
    /// The states that were counted, one by one.
    pub detail: StatusDetail,
}

/// Objects counted by their state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateCounts {
    /// All of them, whatever their state.
    pub total: u64,
    /// How many are in each state; states that nothing is in are left out.
    #[serde(flatten)]
    pub states: BTreeMap<String, u64>,
}

/// Health of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterHealth {
    /// Percent.
    pub health: Health,
    /// What lowers it, the gravest first.
    #[serde(default)]
    pub messages: Vec<HealthMessage>,
}

/// One fault that lowers the cluster's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthMessage {
    /// Which fault it is.
    pub id: String,
    /// Percent by which it lowers the health.
    pub health_delta: i64,
    /// What happened.
    pub text: String,
}

/// Health of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeHealth {
    /// Percent, or `N/A`.
    pub health: Health,
    /// What its checks found, as `'check': text`.
    #[serde(default)]
    pub messages: Vec<String>,
}

/// What the nodes have and use, in sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Resources {
    /// Memory, in MiB.
    pub memory: MemoryResources,
    /// Processors.
    pub cpu: CpuResources,
    /// Storage, in KiB.
    pub disk: DiskResources,
}

/// Memory of all nodes, in MiB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemoryResources {
    /// All of it.
    pub total: u64,
    /// Available.
    pub free: u64,
    /// In use.
    pub used: u64,
    /// Promised to running VMs.
    pub allocated: u64,
    /// Promised to all VMs.
    pub provisioned: u64,
    /// Used in percent of all.
    pub utilization: f64,
}

/// Processors of all nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CpuResources {
    /// Logical processors.
    pub total: u64,
    /// Sum of the load averages.
    pub load: f64,
    /// Virtual processors of running VMs.
    pub allocated: u64,
    /// Load in percent of all processors.
    pub utilization: f64,
}

/// Storage of all OSDs, in KiB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiskResources {
    /// All of it.
    pub total: u64,
    /// In use.
    pub used: u64,
    /// Available.
    pub free: u64,
    /// Mean utilization of the OSDs in percent.
    pub utilization: f64,
}

/// The states behind a [`Status`]' counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusDetail {
    /// Every node.
    #[serde(default)]
    pub node: Vec<NodeSummary>,
    /// Every VM.
    #[serde(default)]
    pub vm: Vec<VmSummary>,
    /// Every OSD.
    #[serde(default)]
    pub osd: Vec<OsdSummary>,
    /// Every fault.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// States of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeSummary {
    /// The node.
    pub name: String,
    /// What its daemon is doing.
    pub daemon_state: String,
    /// Whether it takes VMs.
    pub domain_state: String,
}

/// State of one VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VmSummary {
    /// Its UUID.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// What it should be doing.
    pub state: String,
}

/// State of one OSD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OsdSummary {
    /// Its number.
    pub id: String,
    /// `up` or `down`; `unknown` until Ceph has told of it.
    pub up: String,
    /// `in` or `out`; `unknown` until Ceph has told of it.
    #[serde(rename = "in")]
    pub is_in: String,
}
