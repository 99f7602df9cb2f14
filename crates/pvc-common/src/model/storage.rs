//! Ceph storage as the tree holds it.

use std::sync::Arc;

use serde_json::Value;

use super::Json;
use crate::id::NodeName;
use crate::state::Tier;
use crate::zk::Seen;

/// The storage cluster as a whole, as Ceph's own commands describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// What `ceph status` says, for people.
    pub status: Seen<Arc<str>>,
    /// What `ceph health` says.
    pub health: Seen<Json>,
    /// What `ceph df` says, for people.
    pub util: Seen<Arc<str>>,
}

/// An OSD as the tree holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Osd {
    /// That it is there.
    pub znode: Seen<()>,
    /// The node it runs on.
    pub node: Seen<Option<NodeName>>,
    /// The block device it keeps its data on.
    pub device: Seen<String>,
    /// The block device it keeps its database on, if another.
    pub db_device: Seen<Option<String>>,
    /// Its own identity.
    pub fsid: Seen<String>,
    /// Identity of the storage cluster it belongs to.
    pub cluster_fsid: Seen<String>,
    /// LVM volume group of its data.
    pub vg: Seen<String>,
    /// LVM logical volume of its data.
    pub lv: Seen<String>,
    /// Whether it shares its device with other OSDs.
    pub is_split: Seen<bool>,
    /// Its state and statistics.
    pub stats: Seen<Json>,
}

/// A storage pool as the tree holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// That it is there.
    pub znode: Seen<()>,
    /// Number of its placement groups.
    pub pgs: Seen<u32>,
    /// Which devices it uses.
    pub tier: Seen<Tier>,
    /// Its statistics.
    pub stats: Seen<Json>,
}

/// A volume as the tree holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// That it is there.
    pub znode: Seen<()>,
    /// Its size and features, as `rbd info` tells them.
    pub stats: Seen<Json>,
}

/// A snapshot of a volume as the tree holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// That it is there.
    pub znode: Seen<()>,
    /// Its size and features, as `rbd info` tells them.
    pub stats: Seen<Json>,
}

/// What a benchmark of a pool found.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchmarkRecord {
    /// Its number: benchmarks are counted.
    pub id: i64,
    /// The shape of its result.
    pub test_format: i64,
    /// Its result by test; the text `Running` before.
    pub result: Value,
}

/// A benchmark as the tree holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Benchmark {
    /// What it found.
    pub record: Seen<BenchmarkRecord>,
}
