//! Everything the tree holds, as plain values, each with its version.

mod details;
mod fault;
mod fence;
mod interface;
mod json;
mod network;
mod node;
mod resources;
mod sriov;
mod storage;
mod task;
mod time;
mod vm;

pub use details::{NodeDetails, PluginResult, Tag, VmDetails, VmSnapshot};
pub use fault::Fault;
pub use fence::{
    Evidence, Fence, FenceLease, FenceOrder, Fenceable, Liveness, Moved, PastFence, Presence,
    Suspected, Suspicion,
};
pub use interface::VmInterface;
pub use json::Json;
pub use network::{Lease, Lease6, Network, Reservation, Rule};
pub use node::{Node, StaticData};
pub use resources::{Resources, uses_rbd};
pub use sriov::{Attachment, Pf, Sriov, Vf, VfSettings, VmFunction};
pub use storage::{Benchmark, BenchmarkRecord, Osd, Pool, Snapshot, Storage, Volume};
pub use task::{RunOn, Subject, Task, TaskOrder, TaskProgress, Work};
pub use time::LocalTime;
pub use vm::{Claim, Origin, Vm};
