//! What travels between the API daemon and its clients: one file per noun.
//!
//! The shapes are upstream's `/api/v1`, including where it says `"N/A"`, `"None"` or gives a
//! flag as text, because existing clients parse them. Whoever reads an answer ignores fields it
//! does not know and takes absent ones as empty, so that client and server may differ in age.

mod cluster;
mod fault;
mod fence;
mod message;
mod network;
mod node;
mod sriov;
mod storage;
mod task;
mod vm;

pub use cluster::{
    ClusterHealth, CpuResources, DiskResources, HealthMessage, MemoryResources, NodeHealth,
    NodeSummary, OsdSummary, PrimaryNode, Resources, StateCounts, Status, StatusDetail, VmSummary,
};
pub use fault::Fault;
pub use fence::{Evidence, Fence, Fenceable, Heard, HeardOn, Lease, MovedVm, WaitingVm};
pub use message::{Message, Refusal, RefusalText};
pub use network::{Network, NetworkAcl, NetworkIp4, NetworkIp6, NetworkLease};
pub use node::{
    Health, Node, NodeCoordinatorState, NodeDaemonState, NodeDomainState, NodeInterface, NodeLog,
    NodeMemory, NodeVcpus, PluginHealth,
};
pub use sriov::{SriovConfig, SriovPci, SriovPf, SriovUsage, SriovVf};
pub use storage::{Benchmark, Osd, OsdState, Pool, StorageText, Volume, VolumeSnapshot};
pub use task::{TaskAccepted, TaskEntry, TaskList, TaskState};
pub use vm::{
    Controller, Disk, Nic, Tag, Vm, VmConsole, VmMeta, VmNode, VmSnapshot, VmStateAnswer, VmTags,
    VncAddress,
};

#[cfg(test)]
mod tests;
