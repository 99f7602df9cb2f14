//! Storage: OSDs, pools, volumes and their snapshots.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What Ceph says of itself to people, as it says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StorageText {
    /// `status` or `utilization`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The coordinator that asked Ceph; `none` while there is none.
    pub primary_node: String,
    /// The text, of several lines.
    pub ceph_data: String,
}

/// An OSD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Osd {
    /// Its number.
    pub id: String,
    /// Its identity.
    #[serde(default)]
    pub fsid: String,
    /// The node it runs on.
    #[serde(default)]
    pub node: String,
    /// The block device of its data.
    #[serde(default)]
    pub device: String,
    /// Whether it shares that device with other OSDs.
    #[serde(default)]
    pub is_split: bool,
    /// The block device of its database; empty if that is with the data.
    #[serde(default)]
    pub db_device: String,
    /// Its statistics: space in KiB (`kb`, `kb_used`, `kb_avail`), `up`, `in`, `weight` and more.
    /// They hold `|` in place of numbers until Ceph has told of it.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub stats: Map<String, Value>,
}

/// Whether an OSD serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OsdState {
    /// Its number.
    pub id: String,
    /// 1 if it holds data, 0 if it does not.
    #[serde(rename = "in")]
    pub is_in: u8,
    /// 1 if it runs, 0 if it does not.
    pub up: u8,
}

/// A pool of volumes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// How many volumes it holds.
    #[serde(default)]
    pub volume_count: u64,
    /// Which devices it uses: `default`, `hdd`, `ssd` or `nvme`.
    #[serde(default)]
    pub tier: String,
    /// How many placement groups it has.
    #[serde(default)]
    pub pgs: String,
    /// Its statistics: `id`, `stored_bytes`, `free_bytes`, `used_bytes`, `num_objects` and more.
    /// Empty until Ceph has told of it.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub stats: Map<String, Value>,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// The pool that holds it.
    pub pool: String,
    /// What `rbd info` says of it, but `size` for people, such as `10G`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub stats: Map<String, Value>,
}

/// A snapshot of a volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VolumeSnapshot {
    /// The pool that holds the volume.
    pub pool: String,
    /// The volume.
    pub volume: String,
    /// Its own name.
    pub snapshot: String,
    /// What `rbd info` says of it. Other versions send an empty list for nothing.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub stats: Value,
}

/// A benchmark of a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Benchmark {
    /// Its number.
    pub id: i64,
    /// The name of the run.
    pub job: String,
    /// The shape of its result.
    pub test_format: i64,
    /// Its result by test; the text `Running` before.
    #[schema(value_type = Object)]
    pub benchmark_result: Value,
}
