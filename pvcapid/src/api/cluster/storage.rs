//! Summing up the storage.

use pvc_common::api::{DiskResources, OsdSummary};
use serde::Deserialize;

use super::summary::percent;
use crate::image::View;

/// The part of an OSD's statistics that is summed up. A new OSD has texts in place of numbers
/// until Ceph has told of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OsdStats {
    uuid: serde_json::Value,
    up: serde_json::Value,
    #[serde(rename = "in")]
    is_in: serde_json::Value,
    kb: serde_json::Value,
    kb_used: serde_json::Value,
    kb_avail: serde_json::Value,
    utilization: serde_json::Value,
}

/// Every OSD with its statistics.
fn stats(view: &View) -> impl Iterator<Item = (String, OsdStats)> {
    view.osds.iter().map(|(id, osd)| {
        let text = osd.stats.get().map_or("", |json| json.text());
        (id.to_string(), serde_json::from_str(text).unwrap_or_default())
    })
}

/// What is said of an OSD of which Ceph has not told yet.
pub(super) const UNKNOWN: &str = "unknown";

/// The state of every OSD.
pub(super) fn osds(view: &View) -> Vec<OsdSummary> {
    let summary = |(id, stats): (String, OsdStats)| {
        let told = |flag: &serde_json::Value, yes: &str, no: &str| match flag.as_u64() {
            // A new OSD is down and out there, and has a bar for all else.
            _ if stats.uuid == "|" => UNKNOWN.to_owned(),
            Some(1) => yes.to_owned(),
            Some(_) => no.to_owned(),
            None => UNKNOWN.to_owned(),
        };
        OsdSummary { id, up: told(&stats.up, "up", "down"), is_in: told(&stats.is_in, "in", "out") }
    };
    stats(view).map(summary).collect()
}

/// The space on all OSDs, in KiB.
pub(super) fn disk(view: &View) -> DiskResources {
    let mut sum = DiskResources::default();
    let (mut utilization, mut osds) = (0.0, 0.0);
    for (_, stats) in stats(view) {
        sum.total += stats.kb.as_u64().unwrap_or_default();
        sum.used += stats.kb_used.as_u64().unwrap_or_default();
        sum.free += stats.kb_avail.as_u64().unwrap_or_default();
        utilization += stats.utilization.as_f64().unwrap_or_default();
        osds += 100.0;
    }
    sum.utilization = percent(utilization, osds);
    sum
}
