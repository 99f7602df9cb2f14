//! Understanding what Ceph tells of its OSDs.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::id::{Fsid, OsdId};
use pvc_common::observed::{MappedOsd, OsdMap, Safety};
use pvc_common::state::{OsdFlag, Word};
use pvc_common::unit::Weight;
use serde::Deserialize;

/// The commands that tell of the OSDs, each with one JSON document.
pub(crate) const MAP: &str = "osd dump\nosd tree\n";

#[derive(Deserialize)]
struct Dump {
    fsid: String,
    flags_set: Vec<String>,
    osds: Vec<Dumped>,
}

#[derive(Deserialize)]
struct Dumped {
    osd: u32,
    uuid: String,
    up: u8,
    #[serde(rename = "in")]
    is_in: u8,
    state: Vec<String>,
}

#[derive(Deserialize)]
struct Tree {
    nodes: Vec<TreeNode>,
}

#[derive(Deserialize)]
struct TreeNode {
    id: i64,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    children: Vec<i64>,
    #[serde(default)]
    crush_weight: f64,
}

/// Understands the answers to [`MAP`].
pub(crate) fn map(answers: &str) -> Option<OsdMap> {
    let mut documents = answers.lines().filter(|line| line.starts_with('{'));
    let dump: Dump = serde_json::from_str(documents.next()?).ok()?;
    let tree: Tree = serde_json::from_str(documents.next()?).ok()?;
    let hosts: BTreeMap<i64, &str> = tree
        .nodes
        .iter()
        .filter(|node| node.kind == "host")
        .flat_map(|host| host.children.iter().map(|osd| (*osd, host.name.as_str())))
        .collect();
    let weights: BTreeMap<i64, f64> =
        tree.nodes.iter().map(|node| (node.id, node.crush_weight)).collect();
    let osd = |osd: &Dumped| {
        let has = |state: &str| osd.state.iter().any(|it| it == state);
        let place = i64::from(osd.osd);
        let fsid: Option<Fsid> = if has("destroyed") { None } else { Some(osd.uuid.parse().ok()?) };
        let mapped = MappedOsd {
            fsid,
            up: osd.up == 1,
            is_in: osd.is_in == 1,
            new: has("new"),
            host: hosts.get(&place).map(|host| (*host).to_owned()),
            weight: Weight::of(weights.get(&place).copied().unwrap_or_default())?,
        };
        Some((OsdId(osd.osd), mapped))
    };
    Some(OsdMap {
        cluster: dump.fsid.parse().ok()?,
        flags: flags(&dump.flags_set),
        osds: dump.osds.iter().map(osd).collect::<Option<_>>()?,
    })
}

/// The flags that people may set; Ceph has others of its own making, and calls one of theirs by
/// two names.
fn flags(set: &[String]) -> BTreeSet<OsdFlag> {
    let flag = |text: &String| match text.as_str() {
        "pauserd" | "pausewr" => Some(OsdFlag::Pause),
        text => OsdFlag::parse(text).ok(),
    };
    set.iter().filter_map(flag).collect()
}

/// Understands `ceph tell osd.N perf dump osd`: of how many groups it holds copies that do not serve.
pub(crate) fn strays(json: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Dump {
        osd: Counters,
    }
    #[derive(Deserialize)]
    struct Counters {
        numpg_stray: u64,
    }
    let dump: Dump = serde_json::from_str(json.trim()).ok()?;
    Some(dump.osd.numpg_stray)
}

/// Understands `ceph osd safe-to-destroy --format json`: whether all of these are safe.
pub(crate) fn safe_to_destroy(json: &str, asked: &[OsdId]) -> Option<Safety> {
    #[derive(Deserialize)]
    struct Raw {
        safe_to_destroy: BTreeSet<u32>,
        active: Vec<u32>,
        missing_stats: Vec<u32>,
        stored_pgs: Vec<u32>,
    }
    let raw: Raw = serde_json::from_str(json.trim()).ok()?;
    if asked.iter().all(|osd| raw.safe_to_destroy.contains(&osd.0)) {
        return Some(Safety::Safe);
    }
    let named = |osds: &[u32], what: &str| {
        let osds: Vec<String> = osds.iter().map(u32::to_string).collect();
        (!osds.is_empty()).then(|| format!("OSD {} {what}", osds.join(", ")))
    };
    let why = [
        named(&raw.active, "still serves data"),
        named(&raw.stored_pgs, "still holds the only copy of some data"),
        named(&raw.missing_stats, "has not told what it holds"),
    ];
    let why = why.into_iter().flatten().collect::<Vec<_>>().join("; ");
    Some(Safety::AtRisk {
        why: if why.is_empty() { "Ceph does not say why".to_owned() } else { why },
    })
}

/// Whether Ceph refused for the sake of the data, or because it does not know enough of it.
pub(crate) fn is_busy(stderr: &str) -> bool {
    ["Error EBUSY", "Error EAGAIN"].iter().any(|error| stderr.contains(error))
}

/// Its reason.
pub(crate) fn reason(stderr: &str) -> String {
    let said = ["Error EBUSY: ", "Error EAGAIN: "]
        .iter()
        .find_map(|error| stderr.split_once(error).map(|(_, why)| why));
    said.unwrap_or(stderr).trim().to_owned()
}

/// Whether that is said of an OSD that is not there, or that has no place yet.
pub(crate) fn is_no_osd(stderr: &str) -> bool {
    stderr.contains("does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured from Ceph 16.2.15, with what does not matter here left out: an OSD that serves, one
    /// that was announced and never served, one that was destroyed.
    const ANSWERS: &str = r#"
{"epoch":14,"fsid":"49948298-480f-42bf-82d8-2e38b7a4bdb9","flags":"noout,sortbitwise,recovery_deletes,purged_snapdirs,pglog_hardlimit","flags_set":["noout","pauserd","pausewr","pglog_hardlimit","purged_snapdirs","recovery_deletes","sortbitwise"],"osds":[{"osd":0,"uuid":"599bba99-99ea-474b-ac4b-f26769c83c7c","up":1,"in":1,"weight":1,"primary_affinity":1,"state":["exists","up"]},{"osd":1,"uuid":"69484b0e-c54a-4ece-8fdd-93b00342c8b8","up":0,"in":1,"weight":1,"primary_affinity":1,"state":["exists","new"]},{"osd":2,"uuid":"00000000-0000-0000-0000-000000000000","up":0,"in":0,"weight":0,"primary_affinity":1,"state":["destroyed","exists"]}]}

{"nodes":[{"id":-1,"name":"default","type":"root","type_id":11,"children":[-3]},{"id":-3,"name":"hv1","type":"host","type_id":1,"pool_weights":{},"children":[2,0]},{"id":0,"device_class":"hdd","name":"osd.0","type":"osd","type_id":0,"crush_weight":0.6999969482421875,"depth":2,"pool_weights":{},"exists":1,"status":"up","reweight":1,"primary_affinity":1},{"id":2,"name":"osd.2","type":"osd","type_id":0,"crush_weight":1.5,"depth":2,"pool_weights":{},"exists":1,"status":"destroyed","reweight":0,"primary_affinity":1}],"stray":[{"id":1,"name":"osd.1","type":"osd","type_id":0,"crush_weight":0,"depth":0,"exists":1,"status":"down","reweight":1,"primary_affinity":1}]}
"#;

    #[test]
    fn the_map_tells_of_every_osd_where_and_how_it_is() {
        let map = map(ANSWERS).unwrap();
        assert_eq!(map.cluster.to_string(), "49948298-480f-42bf-82d8-2e38b7a4bdb9");
        assert_eq!(map.flags, [OsdFlag::NoOut, OsdFlag::Pause].into());
        let osd =
            |fsid: Option<&str>, up, is_in, new, host: Option<&str>, weight: &str| MappedOsd {
                fsid: fsid.map(|fsid| fsid.parse().unwrap()),
                up,
                is_in,
                new,
                host: host.map(ToOwned::to_owned),
                weight: weight.parse().unwrap(),
            };
        let serves = Some("599bba99-99ea-474b-ac4b-f26769c83c7c");
        let announced = Some("69484b0e-c54a-4ece-8fdd-93b00342c8b8");
        let expected = [
            (OsdId(0), osd(serves, true, true, false, Some("hv1"), "0.7")),
            (OsdId(1), osd(announced, false, true, true, None, "0")),
            (OsdId(2), osd(None, false, false, false, Some("hv1"), "1.5")),
        ];
        assert_eq!(map.osds, expected.into());
        for bad in ["", "{}\n{}\n", ANSWERS.lines().nth(1).unwrap()] {
            assert_eq!(super::map(bad), None, "{bad}");
        }
    }

    /// Captured from Ceph 16.2.15, apart from the last two.
    #[test]
    fn an_osd_is_safe_to_destroy_if_all_are_that_were_asked_for() {
        let safe = |json: &str, osds: &[u32]| {
            let osds: Vec<OsdId> = osds.iter().map(|osd| OsdId(*osd)).collect();
            safe_to_destroy(json, &osds)
        };
        let active = r#"{"safe_to_destroy":[],"active":[0],"missing_stats":[],"stored_pgs":[]}"#;
        let risk = Safety::AtRisk { why: "OSD 0 still serves data".to_owned() };
        assert_eq!(safe(active, &[0]), Some(risk));
        let gone =
            "\n{\"safe_to_destroy\":[77],\"active\":[],\"missing_stats\":[],\"stored_pgs\":[]}";
        assert_eq!(safe(gone, &[77]), Some(Safety::Safe));
        let one = r#"{"safe_to_destroy":[1],"active":[],"missing_stats":[2],"stored_pgs":[3]}"#;
        assert_eq!(safe(one, &[1]), Some(Safety::Safe));
        let why = "OSD 3 still holds the only copy of some data; OSD 2 has not told what it holds";
        assert_eq!(safe(one, &[1, 2, 3]), Some(Safety::AtRisk { why: why.to_owned() }));
        assert_eq!(safe("", &[1]), None);
    }

    /// Captured from Ceph 16.2.15, which called this OSD safe to destroy, with what does not matter here
    /// left out.
    #[test]
    fn what_an_osd_still_holds_is_counted() {
        let out = r#"{"osd":{"op_wip":0,"numpg":10,"numpg_primary":0,"numpg_replica":0,"numpg_stray":10,"numpg_removing":0}}"#;
        assert_eq!(strays(out), Some(10));
        assert_eq!(strays("{}"), None);
    }

    #[test]
    fn a_refusal_for_the_data_is_told_from_others() {
        let busy = "Error EBUSY: unsafe to stop osd(s) at this time (9 PGs are or would become \
                    offline)\n";
        assert!(is_busy(busy) && !is_busy("Error EINVAL: invalid command"));
        assert_eq!(
            reason(busy),
            "unsafe to stop osd(s) at this time (9 PGs are or would become offline)"
        );
        assert!(is_no_osd("osd.77 does not exist. \n") && !is_no_osd("osd.0 is already out. "));
    }
}
