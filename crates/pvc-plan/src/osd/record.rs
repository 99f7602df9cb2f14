//! What the tree holds of an OSD.

use pvc_common::id::{LvName, NodeName};
use pvc_common::model::{Json, Osd};
use pvc_common::observed::FoundOsd;
use pvc_common::zk::{Op, Seen, Text, key};

/// The statistics of an OSD of which the cluster has not told yet. Others know that state by the
/// bars.
const PLACEHOLDER: &str = r#"{"uuid":"|","up":0,"in":0,"primary_affinity":"|","utilization":"|","var":"|","pgs":"|","kb":"|","weight":"|","reweight":"|","node":"|","used":"|","avail":"|","wr_ops":"|","wr_data":"|","rd_ops":"|","rd_data":"|","state":"|"}"#;

/// Whether nothing was told of an OSD yet that is in the tree.
pub(super) fn is_untold(osd: Option<&impl AsRef<Osd>>) -> bool {
    let stats = osd.and_then(|osd| osd.as_ref().stats.get());
    stats.is_none_or(|stats| stats.text().contains(r#""|""#) || stats.text().is_empty())
}

/// The writes after which the tree tells of an OSD what is so; none if it does.
pub(super) fn write(
    me: &NodeName,
    osd: &FoundOsd,
    is_split: bool,
    present: Option<&impl AsRef<Osd>>,
) -> Vec<Op> {
    let absent = Osd::default();
    let seen = present.map_or(&absent, AsRef::as_ref);
    let id = osd.id;
    let part = |part: fn(&LvName) -> &str| {
        osd.volume.as_ref().map_or_else(String::new, |volume| part(volume).to_owned())
    };
    let mut ops = Vec::new();
    let new = matches!(seen.znode, Seen::Absent);
    if new {
        ops.push(key::osd(id).create(&()));
    }
    put(&mut ops, &key::osd_node(id), &seen.node, Some(me.clone()));
    put(&mut ops, &key::osd_device(id), &seen.device, osd.device.to_string());
    let db = osd.db.as_ref().map(ToString::to_string);
    put(&mut ops, &key::osd_db_device(id), &seen.db_device, db);
    if new {
        ops.push(key::osd_fsids(id).create(&()));
        ops.push(key::osd_lvm(id).create(&()));
    }
    put(&mut ops, &key::osd_fsid(id), &seen.fsid, osd.fsid.to_string());
    put(&mut ops, &key::osd_cluster_fsid(id), &seen.cluster_fsid, osd.cluster.to_string());
    put(&mut ops, &key::osd_vg(id), &seen.vg, part(LvName::group));
    put(&mut ops, &key::osd_lv(id), &seen.lv, part(LvName::volume));
    put(&mut ops, &key::osd_is_split(id), &seen.is_split, is_split);
    if seen.stats == Seen::Absent {
        let stats = Json::decode(PLACEHOLDER).expect("it is JSON");
        ops.push(key::osd_stats(id).create(&stats));
    }
    ops
}

/// Writes a value unless it is there.
fn put<T: Text + PartialEq>(ops: &mut Vec<Op>, key: &key::Key<T>, seen: &Seen<T>, value: T) {
    if seen.get() != Some(&value) {
        ops.push(key.put(seen, &value));
    }
}

/// What must hold for an OSD's record to be deleted: that it is still this one's.
pub(super) fn guard(osd: pvc_common::id::OsdId, seen: &Osd) -> Vec<Op> {
    key::osd_fsid(osd).check(&seen.fsid).into_iter().collect()
}
