//! What is wrong with the storage, as a part of the cluster's health and of its nodes'.

use pvc_common::id::{NodeName, OsdId};
use pvc_common::model::Osd;
use pvc_common::view::View;
use serde::Deserialize;
use serde_json::Value;

use super::Concern;

/// As much as upstream's faults of the same names.
const ERROR_DELTA: u32 = 50;
const WARNING_DELTA: u32 = 10;
const OUT_DELTA: u32 = 50;
/// Ceph itself tells of it for the cluster.
const DOWN_DELTA: u32 = 10;

/// What `ceph health` tells, as far as it is of interest.
#[derive(Deserialize)]
struct Health {
    #[serde(default)]
    checks: std::collections::BTreeMap<String, Check>,
}

#[derive(Deserialize)]
struct Check {
    severity: String,
    #[serde(default)]
    muted: bool,
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    message: String,
}

/// What is wrong with the storage as a whole: what Ceph complains of, and OSDs that are out.
pub(crate) fn storage(view: &View) -> Vec<Concern> {
    let health = view.storage.health.get();
    let health = health.and_then(|json| serde_json::from_str::<Health>(json.text()).ok());
    let checks = health.into_iter().flat_map(|health| health.checks);
    let complaints = checks.filter(|(_, check)| !check.muted).filter_map(|(name, check)| {
        let (kind, delta) = match check.severity.as_str() {
            "HEALTH_ERR" => ("CEPH_ERR", ERROR_DELTA),
            "HEALTH_WARN" => ("CEPH_WARN", WARNING_DELTA),
            _ => return None,
        };
        Some(Concern { id: format!("{kind}_{name}"), delta, text: check.summary.message })
    });
    let out = view.osds.iter().filter(|(_, osd)| is(osd, "in") == Some(false)).map(|(id, _)| {
        let text = format!("OSD {id} is out: its data is kept elsewhere");
        Concern { id: format!("CEPH_OSD_OUT_{id}"), delta: OUT_DELTA, text }
    });
    complaints.chain(out).collect()
}

/// What is wrong with a node's own OSDs: that some are down.
pub(super) fn osds(view: &View, node: &NodeName) -> Option<Concern> {
    let own =
        view.osds.iter().filter(|(_, osd)| osd.node.get().and_then(Option::as_ref) == Some(node));
    let down: Vec<OsdId> =
        own.filter(|(_, osd)| is(osd, "up") == Some(false)).map(|(id, _)| *id).collect();
    let list: Vec<String> = down.iter().map(ToString::to_string).collect();
    let text = match list.as_slice() {
        [] => return None,
        [one] => format!("OSD {one} is down"),
        many => format!("OSDs {} are down", many.join(", ")),
    };
    let name = node.as_str().to_uppercase();
    Some(Concern { id: format!("NODE_OSD_DOWN_{name}"), delta: DOWN_DELTA, text })
}

/// What Ceph says of an OSD; `None` while it has not told of it.
fn is(osd: &Osd, what: &str) -> Option<bool> {
    let stats: Value = serde_json::from_str(osd.stats.get()?.text()).ok()?;
    // What stands there from the making of an OSD until Ceph tells of it has texts for numbers.
    stats.get("kb")?.as_u64()?;
    Some(stats.get(what)?.as_u64()? == 1)
}
