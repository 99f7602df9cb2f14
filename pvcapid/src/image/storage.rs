//! Storage as clients are shown it.
//!
//! Statistics are decoration: where they are missing, or not what was expected, an object is
//! shown without them rather than not at all.

use std::collections::BTreeMap;

use pvc_common::api;
use pvc_common::id::{OsdId, PoolName, SnapshotId, VolumeId};
use pvc_common::model::{Json, Osd, Pool, Snapshot, Volume};
use pvc_common::unit::Bytes;
use pvc_common::zk::{Seen, Text};
use serde_json::{Map, Value};

use super::View;
use super::catalogue::Kind;

/// An OSD with everything that is shown of it.
pub(crate) fn osd(id: OsdId, osd: &Osd) -> api::Osd {
    api::Osd {
        id: id.to_string(),
        fsid: osd.fsid.get().cloned().unwrap_or_default(),
        node: osd.node.get().and_then(Option::as_ref).map(ToString::to_string).unwrap_or_default(),
        device: osd.device.get().cloned().unwrap_or_default(),
        is_split: osd.is_split.copied().unwrap_or_default(),
        db_device: osd.db_device.get().cloned().flatten().unwrap_or_default(),
        stats: stats(&osd.stats),
    }
}

/// Whether an OSD serves. One that Ceph has not told of does not.
pub(crate) fn osd_state(id: OsdId, osd: &Osd) -> api::OsdState {
    let stats = stats(&osd.stats);
    let is = |name: &str| u8::from(stats.get(name).is_some_and(|value| *value == 1));
    api::OsdState { id: id.to_string(), is_in: is("in"), up: is("up") }
}

/// Every pool, by Ceph's number of it; those that Ceph has not told of come last, by name.
pub(crate) fn pools(view: &View) -> Vec<api::Pool> {
    let volumes = volume_counts(view);
    let mut pools: Vec<api::Pool> = view
        .pools
        .iter()
        .map(|(name, object)| pool(name, object, volumes.get(name).copied().unwrap_or_default()))
        .collect();
    pools.sort_by_key(|pool| pool.stats.get("id").and_then(Value::as_u64).unwrap_or(u64::MAX));
    pools
}

fn pool(name: &PoolName, pool: &Pool, volume_count: u64) -> api::Pool {
    api::Pool {
        name: name.to_string(),
        volume_count,
        tier: pool.tier.get().map(Text::encode).unwrap_or_default(),
        pgs: pool.pgs.get().map(Text::encode).unwrap_or_default(),
        stats: stats(&pool.stats),
    }
}

/// How many volumes each pool holds; a pool without any is left out.
pub(crate) fn volume_counts(view: &View) -> BTreeMap<&PoolName, u64> {
    let mut counts = BTreeMap::new();
    for volume in view.cluster.volumes.keys() {
        *counts.entry(&volume.pool).or_default() += 1;
    }
    counts
}

impl Kind for Volume {
    type Id = VolumeId;
    type Answer = api::Volume;

    fn name(id: &VolumeId) -> &str {
        id.volume.as_str()
    }

    fn answer(&self, id: &VolumeId) -> api::Volume {
        let mut stats = stats(&self.stats);
        if let Some(size) = stats.get_mut("size")
            && let Some(bytes) = size.as_u64()
        {
            *size = Bytes(bytes).to_string().into();
        }
        api::Volume { name: id.volume.to_string(), pool: id.pool.to_string(), stats }
    }
}

impl Kind for Snapshot {
    type Id = SnapshotId;
    type Answer = api::VolumeSnapshot;

    fn name(id: &SnapshotId) -> &str {
        id.snapshot.as_str()
    }

    fn answer(&self, id: &SnapshotId) -> api::VolumeSnapshot {
        api::VolumeSnapshot {
            pool: id.of.pool.to_string(),
            volume: id.of.volume.to_string(),
            snapshot: id.snapshot.to_string(),
            stats: stats(&self.stats).into(),
        }
    }
}

fn stats(seen: &Seen<Json>) -> Map<String, Value> {
    let text = seen.get().map_or("", |json| json.text());
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::Version;
    use serde_json::json;

    use super::*;

    fn seen(text: &str) -> Seen<Json> {
        Seen::read(Some((text.as_bytes(), Version(1))))
    }

    #[test]
    fn a_volume_is_shown_with_its_size_for_people() {
        let id: VolumeId = "vms/web1_sda".parse().unwrap();
        for (stats, shown) in [
            (r#"{"size":10737418240,"id":"1a"}"#, json!({"size": "10G", "id": "1a"})),
            (r#"{"size":8589934592}"#, json!({"size": "8192M"})),
            (r#"{"size":"10G"}"#, json!({"size": "10G"})),
            (r#"{"id":"1a"}"#, json!({"id": "1a"})),
            ("", json!({})),
            ("{", json!({})),
            ("[1]", json!({})),
            ("null", json!({})),
        ] {
            let volume = Volume { stats: seen(stats), ..Volume::default() };
            let answer = serde_json::to_value(volume.answer(&id)).unwrap();
            assert_eq!(answer, json!({"name": "web1_sda", "pool": "vms", "stats": shown}));
        }
    }

    #[test]
    fn a_snapshot_is_shown_with_its_size_in_bytes() {
        let id: SnapshotId = "vms/web1_sda@before".parse().unwrap();
        for (stats, shown) in [(r#"{"size":1024}"#, json!({"size": 1024})), ("", json!({}))] {
            let snapshot = Snapshot { stats: seen(stats), ..Snapshot::default() };
            let answer = serde_json::to_value(snapshot.answer(&id)).unwrap();
            let expected = json!({"pool": "vms", "volume": "web1_sda", "snapshot": "before",
                                  "stats": shown});
            assert_eq!(answer, expected);
        }
    }

    #[test]
    fn an_osd_serves_only_if_ceph_says_so() {
        for (stats, is_in, up) in [
            (r#"{"in":1,"up":1}"#, 1, 1),
            (r#"{"in":1,"up":0}"#, 1, 0),
            (r#"{"in":"|","up":"|"}"#, 0, 0),
            ("", 0, 0),
            ("{", 0, 0),
        ] {
            let osd = Osd { stats: seen(stats), ..Osd::default() };
            let state = api::OsdState { id: "7".to_owned(), is_in, up };
            assert_eq!(osd_state(OsdId(7), &osd), state, "{stats}");
        }
    }

    #[test]
    fn an_osd_that_was_just_made_is_shown_with_what_is_known() {
        let shown = serde_json::to_value(osd(OsdId(3), &Osd::default())).unwrap();
        let expected = json!({"id": "3", "fsid": "", "node": "", "device": "", "is_split": false,
                              "db_device": "", "stats": {}});
        assert_eq!(shown, expected);
    }

    #[test]
    fn pools_come_in_the_order_in_which_ceph_made_them() {
        let pools = [("a", r#"{"id":10}"#), ("b", r#"{"id":9}"#), ("d", "{}"), ("c", "{")];
        let pools = pools.map(|(name, stats)| {
            let pool = Pool { stats: seen(stats), ..Pool::default() };
            (name.parse().unwrap(), pool.into())
        });
        let volumes = ["b/x", "b/y", "gone/z"].map(|id| (id.parse().unwrap(), Default::default()));
        let cluster = pvc_common::view::View {
            pools: pools.into_iter().collect(),
            volumes: volumes.into_iter().collect(),
            ..Default::default()
        };
        let view = View { cluster: cluster.into(), ..View::default() };
        let shown: Vec<_> =
            super::pools(&view).into_iter().map(|pool| (pool.name, pool.volume_count)).collect();
        let expected = [("b", 2), ("a", 0), ("c", 0), ("d", 0)];
        assert_eq!(shown, expected.map(|(name, count)| (name.to_owned(), count)));
    }
}
