//! What a pool is and holds.

use pvc_common::zk::Text;

use super::osd::Stats;
use super::text::{Labels, Metric, Sample, Subject};
use crate::image::{View, volume_counts};

/// Metrics of a pool.
pub(super) const METRICS: &[Metric<Pool>] = &[
    Metric::new("pvc_ceph_pool_tier", "Devices that a pool uses", |pool| {
        Some(Sample::text("tier", &pool.tier))
    }),
    Metric::new("pvc_ceph_pool_pgs", "Placement groups of a pool", |pool| {
        pool.pgs.map(Sample::whole)
    }),
    Metric::new("pvc_ceph_pool_volumes", "Number of volumes in a pool", |pool| {
        Some(Sample::whole(pool.volumes))
    }),
    Metric::new("pvc_ceph_pool_stored_bytes", "Bytes stored in a pool", |pool| {
        pool.stats.number("stored_bytes")
    }),
    Metric::new("pvc_ceph_pool_free_bytes", "Bytes that a pool can still store", |pool| {
        pool.stats.number("free_bytes")
    }),
    Metric::new("pvc_ceph_pool_used_bytes", "Bytes that a pool takes with its copies", |pool| {
        pool.stats.number("used_bytes")
    }),
    Metric::new("pvc_ceph_pool_used_percent", "Used space of a pool in percent", |pool| {
        pool.stats.percent("used_percent")
    }),
    Metric::new("pvc_ceph_pool_num_objects", "Objects in a pool", |pool| {
        pool.stats.number("num_objects")
    }),
    Metric::new("pvc_ceph_pool_num_objects_clones", "Clones of objects in a pool", |pool| {
        pool.stats.number("num_object_clones")
    }),
    Metric::new("pvc_ceph_pool_num_objects_copies", "Copies of objects in a pool", |pool| {
        pool.stats.number("num_object_copies")
    }),
    Metric::new(
        "pvc_ceph_pool_num_objects_missing_on_primary",
        "Objects in a pool that their first OSD lacks",
        |pool| pool.stats.number("num_objects_missing_on_primary"),
    ),
    Metric::new(
        "pvc_ceph_pool_num_objects_unfound",
        "Objects in a pool that no OSD was found to have",
        |pool| pool.stats.number("num_objects_unfound"),
    ),
    Metric::new(
        "pvc_ceph_pool_num_objects_degraded",
        "Objects in a pool with too few copies",
        |pool| pool.stats.number("num_objects_degraded"),
    ),
    Metric::new("pvc_ceph_pool_read_ops", "Reads of a pool", |pool| pool.stats.number("read_ops")),
    Metric::new("pvc_ceph_pool_read_bytes", "Bytes read from a pool", |pool| {
        pool.stats.number("read_bytes")
    }),
    Metric::new("pvc_ceph_pool_write_ops", "Writes of a pool", |pool| {
        pool.stats.number("write_ops")
    }),
    Metric::new("pvc_ceph_pool_write_bytes", "Bytes written to a pool", |pool| {
        pool.stats.number("write_bytes")
    }),
];

/// A pool with its statistics.
pub(super) struct Pool {
    tier: String,
    pgs: Option<u32>,
    volumes: u64,
    stats: Stats,
}

/// Every pool, by name.
pub(super) fn subjects(view: &View) -> Vec<Subject<Pool>> {
    let volumes = volume_counts(view);
    let pools = view.pools.iter().map(|(name, pool)| {
        let of = Pool {
            tier: pool.tier.get().map(Text::encode).unwrap_or_default(),
            pgs: pool.pgs.copied(),
            volumes: volumes.get(name).copied().unwrap_or_default(),
            stats: Stats::read(pool.stats.get()),
        };
        Subject { labels: Labels::of("pool", &name.to_string()), of }
    });
    pools.collect()
}
