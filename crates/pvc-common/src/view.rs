//! The typed snapshot of the tree that a plan reads, and how it is built.

mod branch;
mod builder;
mod cluster;
mod network;
mod node;
mod reported;
mod root;
mod shared;
mod sriov;
mod storage;
mod task;
mod vm;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::{
    FaultId, FenceId, JobName, NodeName, OsdId, PoolName, SnapshotId, TaskId, VmUuid, Vni, VolumeId,
};
use crate::model::{self, Network, Node, Osd, Pool, Snapshot, Storage, Vm, Volume};
use crate::state::Selector;
use crate::zk::Seen;

pub use builder::{Builder, Scope};
pub use shared::Shared;

/// Data in the tree that could not be understood. It hides nothing but itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
}

/// Settings of the whole cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// Schema version in force; absent in a tree that was never initialised.
    pub schema_version: Seen<u32>,
    /// The cluster's name.
    pub name: Seen<String>,
    /// `true` while no node shall be fenced.
    pub maintenance: Seen<String>,
    /// The node that is or shall be primary.
    pub primary_node: Seen<Option<NodeName>>,
    /// The floating upstream address with its prefix.
    pub upstream_ip: Seen<String>,
    /// The default selector.
    pub default_selector: Seen<Option<Selector>>,
}

/// The tree at one moment, complete and immutable.
///
/// Objects are shared between successive views, so that a change costs what changed; what is
/// the same object was not written in between. What a [`Scope`] leaves out is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Settings of the whole cluster.
    pub cluster: Arc<Cluster>,
    /// Every node.
    pub nodes: Shared<NodeName, Node>,
    /// Every VM.
    pub vms: Shared<VmUuid, Vm>,
    /// Every client network.
    pub networks: Shared<Vni, Network>,
    /// The storage cluster as a whole.
    pub storage: Arc<Storage>,
    /// Every OSD.
    pub osds: Shared<OsdId, Osd>,
    /// Every pool.
    pub pools: Shared<PoolName, Pool>,
    /// Every volume.
    pub volumes: Shared<VolumeId, Volume>,
    /// Every snapshot of a volume.
    pub snapshots: Shared<SnapshotId, Snapshot>,
    /// What lowers the cluster's health, as somebody reported it.
    pub reported: Shared<FaultId, model::Fault>,
    /// Every benchmark of the storage.
    pub benchmarks: Shared<JobName, model::Benchmark>,
    /// Fences that are over.
    pub fences: Shared<FenceId, model::PastFence>,
    /// Tasks, waiting, under way and over.
    pub tasks: Shared<TaskId, model::Task>,
    /// What could not be understood, by path.
    pub faults: Arc<BTreeMap<String, Fault>>,
}
