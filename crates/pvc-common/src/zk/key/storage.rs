//! Keys below `/ceph`.

use std::sync::Arc;

use super::{CEPH, Key};
use crate::id::{JobName, NodeName, OsdId, PoolName, SnapshotId, VolumeId};
use crate::model::{BenchmarkRecord, Json};
use crate::state::Tier;

/// Parent of OSDs.
pub const OSDS: &str = "/ceph/osds";
/// Parent of pools.
pub const POOLS: &str = "/ceph/pools";
/// Parent of volumes, by pool.
pub const VOLUMES: &str = "/ceph/volumes";
/// Parent of volume snapshots, by pool and volume.
pub const SNAPSHOTS: &str = "/ceph/snapshots";
/// Parent of benchmarks (since version 18).
pub const BENCHMARKS: &str = "/ceph/benchmarks";
/// The health of the storage cluster, as JSON.
pub const STORAGE_HEALTH: &str = "/ceph/health";
/// The use of the storage cluster, as text.
pub const STORAGE_UTIL: &str = "/ceph/util";

/// The suffixes below an OSD, for reading an OSD key by key.
pub mod osd_suffix {
    /// Node it runs on.
    pub const NODE: &str = "/node";
    /// Block device of its data.
    pub const DEVICE: &str = "/device";
    /// Block device of its database.
    pub const DB_DEVICE: &str = "/db_device";
    /// Parent of the identities.
    pub const FSID: &str = "/fsid";
    /// Its own identity.
    pub const OSD_FSID: &str = "/fsid/osd";
    /// Identity of its cluster.
    pub const CLUSTER_FSID: &str = "/fsid/cluster";
    /// Parent of its LVM names.
    pub const LVM: &str = "/lvm";
    /// Volume group.
    pub const VG: &str = "/lvm/vg";
    /// Logical volume.
    pub const LV: &str = "/lvm/lv";
    /// Whether it shares its device.
    pub const IS_SPLIT: &str = "/is_split";
    /// Statistics, as JSON.
    pub const STATS: &str = "/stats";
}

/// The suffixes below a pool, for reading a pool key by key.
pub mod pool_suffix {
    /// Number of placement groups.
    pub const PGS: &str = "/pgs";
    /// Which devices it uses.
    pub const TIER: &str = "/tier";
    /// Statistics, as JSON.
    pub const STATS: &str = "/stats";
}

/// Statistics of a volume or a volume snapshot, as JSON.
pub const VOLUME_STATS: &str = "/stats";

/// `/ceph`: what `ceph status` says. Written by: primary.
#[must_use]
pub fn storage_status() -> Key<Arc<str>> {
    Key::new(CEPH.to_owned())
}

/// `/ceph/health`: what `ceph health` says, as JSON. Written by: primary.
#[must_use]
pub fn storage_health() -> Key<Json> {
    Key::new(STORAGE_HEALTH.to_owned())
}

/// `/ceph/util`: what `ceph df` says. Written by: primary.
#[must_use]
pub fn storage_util() -> Key<Arc<str>> {
    Key::new(STORAGE_UTIL.to_owned())
}

fn osd_at<T>(osd: OsdId, suffix: &str) -> Key<T> {
    Key::new(format!("{OSDS}/{osd}{suffix}"))
}

/// `/ceph/osds/{id}`. Written by: the node that makes or removes the OSD.
#[must_use]
pub fn osd(id: OsdId) -> Key<()> {
    osd_at(id, "")
}

/// `/ceph/osds/{id}/node`. Written by: as [`osd`].
#[must_use]
pub fn osd_node(id: OsdId) -> Key<Option<NodeName>> {
    osd_at(id, osd_suffix::NODE)
}

/// `/ceph/osds/{id}/device`. Written by: as [`osd`].
#[must_use]
pub fn osd_device(id: OsdId) -> Key<String> {
    osd_at(id, osd_suffix::DEVICE)
}

/// `/ceph/osds/{id}/db_device`. Written by: as [`osd`].
#[must_use]
pub fn osd_db_device(id: OsdId) -> Key<Option<String>> {
    osd_at(id, osd_suffix::DB_DEVICE)
}

/// `/ceph/osds/{id}/fsid`: a parent. Written by: as [`osd`].
#[must_use]
pub fn osd_fsids(id: OsdId) -> Key<()> {
    osd_at(id, osd_suffix::FSID)
}

/// `/ceph/osds/{id}/fsid/osd`. Written by: as [`osd`].
#[must_use]
pub fn osd_fsid(id: OsdId) -> Key<String> {
    osd_at(id, osd_suffix::OSD_FSID)
}

/// `/ceph/osds/{id}/fsid/cluster`. Written by: as [`osd`].
#[must_use]
pub fn osd_cluster_fsid(id: OsdId) -> Key<String> {
    osd_at(id, osd_suffix::CLUSTER_FSID)
}

/// `/ceph/osds/{id}/lvm`: a parent. Written by: as [`osd`].
#[must_use]
pub fn osd_lvm(id: OsdId) -> Key<()> {
    osd_at(id, osd_suffix::LVM)
}

/// `/ceph/osds/{id}/lvm/vg`. Written by: as [`osd`].
#[must_use]
pub fn osd_vg(id: OsdId) -> Key<String> {
    osd_at(id, osd_suffix::VG)
}

/// `/ceph/osds/{id}/lvm/lv`. Written by: as [`osd`].
#[must_use]
pub fn osd_lv(id: OsdId) -> Key<String> {
    osd_at(id, osd_suffix::LV)
}

/// `/ceph/osds/{id}/is_split`. Written by: as [`osd`].
#[must_use]
pub fn osd_is_split(id: OsdId) -> Key<bool> {
    osd_at(id, osd_suffix::IS_SPLIT)
}

/// `/ceph/osds/{id}/stats`. Written by: the node it runs on, with each keepalive.
#[must_use]
pub fn osd_stats(id: OsdId) -> Key<Json> {
    osd_at(id, osd_suffix::STATS)
}

fn pool_at<T>(pool: &PoolName, suffix: &str) -> Key<T> {
    Key::new(format!("{POOLS}/{pool}{suffix}"))
}

/// `/ceph/pools/{pool}`. Written by: API.
#[must_use]
pub fn pool(name: &PoolName) -> Key<()> {
    pool_at(name, "")
}

/// `/ceph/pools/{pool}/pgs`. Written by: API.
#[must_use]
pub fn pool_pgs(name: &PoolName) -> Key<u32> {
    pool_at(name, pool_suffix::PGS)
}

/// `/ceph/pools/{pool}/tier`. Written by: API.
#[must_use]
pub fn pool_tier(name: &PoolName) -> Key<Tier> {
    pool_at(name, pool_suffix::TIER)
}

/// `/ceph/pools/{pool}/stats`. Written by: primary, with each keepalive.
#[must_use]
pub fn pool_stats(name: &PoolName) -> Key<Json> {
    pool_at(name, pool_suffix::STATS)
}

/// `/ceph/volumes/{pool}`: a parent. Written by: API, when the pool is made.
#[must_use]
pub fn pool_volumes(name: &PoolName) -> Key<()> {
    Key::new(format!("{VOLUMES}/{name}"))
}

/// `/ceph/snapshots/{pool}`: a parent. Written by: API, when the pool is made.
#[must_use]
pub fn pool_snapshots(name: &PoolName) -> Key<()> {
    Key::new(format!("{SNAPSHOTS}/{name}"))
}

/// `/ceph/volumes/{pool}/{volume}`. Written by: API.
#[must_use]
pub fn volume(id: &VolumeId) -> Key<()> {
    Key::new(format!("{VOLUMES}/{id}"))
}

/// `/ceph/volumes/{pool}/{volume}/stats`: what `rbd info` says. Written by: API.
#[must_use]
pub fn volume_stats(id: &VolumeId) -> Key<Json> {
    Key::new(format!("{VOLUMES}/{id}{VOLUME_STATS}"))
}

/// `/ceph/snapshots/{pool}/{volume}`: a parent. Written by: API, when the volume is made.
#[must_use]
pub fn volume_snapshots(id: &VolumeId) -> Key<()> {
    Key::new(format!("{SNAPSHOTS}/{id}"))
}

/// `/ceph/snapshots/{pool}/{volume}/{snapshot}`. Written by: API.
#[must_use]
pub fn snapshot(id: &SnapshotId) -> Key<()> {
    Key::new(format!("{SNAPSHOTS}/{}/{}", id.of, id.snapshot))
}

/// `/ceph/snapshots/{pool}/{volume}/{snapshot}/stats`: what `rbd info` says. Written by: API.
#[must_use]
pub fn snapshot_stats(id: &SnapshotId) -> Key<Json> {
    Key::new(format!("{SNAPSHOTS}/{}/{}{VOLUME_STATS}", id.of, id.snapshot))
}

/// `/ceph/benchmarks/{job}`: what a benchmark found (since version 18). Written by: primary.
#[must_use]
pub fn benchmark(job: &JobName) -> Key<BenchmarkRecord> {
    Key::new(format!("{BENCHMARKS}/{job}"))
}
