//! Understanding what Ceph tells of itself.

use std::collections::BTreeMap;

use pvc_common::id::OsdId;
use pvc_common::model::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Figures;

/// The commands whose answers people read. Between them stands one that answers with the cluster's
/// identity alone, which tells where the first answer ends.
pub(crate) const TEXTS: &str = "status\nfsid\ndf\n";

/// The commands that answer with one JSON document each, and one that only makes a table.
pub(crate) const DOCUMENTS: &str = "health\nosd dump\nosd df\ndf\nosd status\n";

/// Parts the answers to [`TEXTS`].
pub(crate) fn texts(answers: &str) -> Option<(String, String)> {
    let is_identity =
        |line: &str| line.len() == 36 && line.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let mut offset = 0;
    for line in answers.split_inclusive('\n') {
        if is_identity(line.trim_end()) {
            let (status, usage) = (&answers[..offset], &answers[offset + line.len()..]);
            let whole = |text: &str| format!("{}\n", text.trim_end().trim_start_matches('\n'));
            return Some((whole(status), whole(usage)));
        }
        offset += line.len();
    }
    None
}

/// Makes figures of the texts, the answers to [`DOCUMENTS`] and that of `rados df`.
pub(crate) fn read(texts: (String, String), documents: &str, rados_df: &str) -> Option<Figures> {
    let is_document = |line: &&str| line.starts_with('{');
    let mut lines = documents.lines().filter(is_document);
    let health = lines.next()?;
    let dump: Dump = serde_json::from_str(lines.next()?).ok()?;
    let osd_df: OsdDf = serde_json::from_str(lines.next()?).ok()?;
    let df: Df = serde_json::from_str(lines.next()?).ok()?;
    let rates = rates(documents);
    let rados: RadosDf = serde_json::from_str(rados_df).ok()?;
    let of_df: BTreeMap<i64, Map<String, Value>> =
        osd_df.nodes.into_iter().map(|node| (node.id, node.figures)).collect();
    let osds = dump.osds.iter().map(|osd| {
        let stats = osd_stats(osd, of_df.get(&osd.osd), rates.get(&osd.osd));
        (u32::try_from(osd.osd).map(OsdId), Json::of(&stats))
    });
    let pools = df.pools.iter().map(|pool| {
        let objects = rados.pools.iter().find(|of| of.id == pool.id);
        (pool.name.parse(), Json::of(&pool_stats(pool, objects)))
    });
    Some(Figures {
        status: texts.0,
        usage: texts.1,
        health: Json::of(&serde_json::from_str(health).ok()?),
        osds: osds.filter_map(|(id, stats)| Some((id.ok()?, stats))).collect(),
        pools: pools.filter_map(|(name, stats)| Some((name.ok()?, stats))).collect(),
    })
}

#[derive(Deserialize)]
struct Dump {
    osds: Vec<DumpedOsd>,
}

#[derive(Deserialize)]
struct DumpedOsd {
    osd: i64,
    uuid: String,
    up: Value,
    #[serde(rename = "in")]
    is_in: Value,
    primary_affinity: Value,
}

#[derive(Deserialize)]
struct OsdDf {
    nodes: Vec<OsdNode>,
}

#[derive(Deserialize)]
struct OsdNode {
    id: i64,
    #[serde(flatten)]
    figures: Map<String, Value>,
}

#[derive(Deserialize)]
struct Df {
    pools: Vec<PoolDf>,
}

#[derive(Deserialize)]
struct PoolDf {
    name: String,
    id: i64,
    stats: Map<String, Value>,
}

#[derive(Deserialize)]
struct RadosDf {
    pools: Vec<RadosPool>,
}

#[derive(Deserialize)]
struct RadosPool {
    id: i64,
    #[serde(flatten)]
    figures: Map<String, Value>,
}

/// What `ceph osd status` shows of an OSD beyond what others tell.
#[derive(Debug, PartialEq)]
struct Rates {
    node: String,
    used: String,
    avail: String,
    wr_ops: u64,
    wr_data: u64,
    rd_ops: u64,
    rd_data: u64,
    state: String,
}

/// Reads the table of `ceph osd status`: `ID HOST USED AVAIL WR-OPS WR-DATA RD-OPS RD-DATA STATE`,
/// without the host while that is unknown.
fn rates(answers: &str) -> BTreeMap<i64, Rates> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_ascii_whitespace().collect();
        let id = cells.first()?.parse().ok()?;
        let [used, avail, wr_ops, wr_data, rd_ops, rd_data, state] =
            cells[cells.len().checked_sub(7).filter(|at| *at > 0)?..]
        else {
            return None;
        };
        let node = if cells.len() > 8 { cells[1] } else { "" };
        let rates = Rates {
            node: node.to_owned(),
            used: used.to_owned(),
            avail: avail.to_owned(),
            wr_ops: amount(wr_ops, 1000.0)?,
            wr_data: amount(wr_data, 1024.0)?,
            rd_ops: amount(rd_ops, 1000.0)?,
            rd_data: amount(rd_data, 1024.0)?,
            state: state.to_owned(),
        };
        Some((id, rates))
    };
    answers.lines().filter_map(row).collect()
}

/// An amount as people read it: `0`, `91.0k`, `4095M`.
fn amount(text: &str, unit: f64) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let power = match suffix {
        "" => 0,
        "k" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    // A rate that people read is far from the limits of either type.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    Some((number * unit.powi(power)) as u64)
}

fn osd_stats(osd: &DumpedOsd, df: Option<&Map<String, Value>>, rates: Option<&Rates>) -> Value {
    let of = |name: &str| df.and_then(|df| df.get(name)).cloned().unwrap_or(Value::from(0));
    let class = df.and_then(|df| df.get("device_class")).cloned().unwrap_or_default();
    json!({
        "uuid": osd.uuid,
        "up": osd.up,
        "in": osd.is_in,
        "primary_affinity": osd.primary_affinity,
        "utilization": of("utilization"),
        "var": of("var"),
        "pgs": of("pgs"),
        "kb": of("kb"),
        "kb_used": of("kb_used"),
        "kb_used_data": of("kb_used_data"),
        "kb_used_omap": of("kb_used_omap"),
        "kb_used_meta": of("kb_used_meta"),
        "kb_avail": of("kb_avail"),
        "weight": of("crush_weight"),
        "reweight": of("reweight"),
        "class": class,
        "node": rates.map_or("", |rates| &rates.node),
        "used": rates.map_or("", |rates| &rates.used),
        "avail": rates.map_or("", |rates| &rates.avail),
        "wr_ops": rates.map_or(0, |rates| rates.wr_ops),
        "wr_data": rates.map_or(0, |rates| rates.wr_data),
        "rd_ops": rates.map_or(0, |rates| rates.rd_ops),
        "rd_data": rates.map_or(0, |rates| rates.rd_data),
        "state": rates.map_or("", |rates| &rates.state),
    })
}

fn pool_stats(pool: &PoolDf, objects: Option<&RadosPool>) -> Value {
    let of = |name: &str| pool.stats.get(name).cloned().unwrap_or(Value::from(0));
    let counted = |name: &str| {
        objects.and_then(|pool| pool.figures.get(name)).cloned().unwrap_or(Value::from(0))
    };
    json!({
        "id": pool.id,
        "stored_bytes": of("stored"),
        "free_bytes": of("max_avail"),
        "used_bytes": of("bytes_used"),
        "used_percent": of("percent_used"),
        "num_objects": of("objects"),
        "num_object_clones": counted("num_object_clones"),
        "num_object_copies": counted("num_object_copies"),
        "num_objects_missing_on_primary": counted("num_objects_missing_on_primary"),
        "num_objects_unfound": counted("num_objects_unfound"),
        "num_objects_degraded": counted("num_objects_degraded"),
        "read_ops": counted("read_ops"),
        "read_bytes": counted("read_bytes"),
        "write_ops": counted("write_ops"),
        "write_bytes": counted("write_bytes"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Ceph 16.2.15, with what is not read here left out.
    const ANSWERS: &str = r#"
{"status":"HEALTH_OK","checks":{},"mutes":[]}

{"epoch":40,"osds":[{"osd":0,"uuid":"6a1f","up":1,"in":1,"weight":1,"primary_affinity":1}]}

{"nodes":[{"id":0,"device_class":"hdd","name":"osd.0","crush_weight":0.0038,"reweight":1,"kb":4194304,"kb_used":91,"kb_used_data":0,"kb_used_omap":0,"kb_used_meta":0,"kb_avail":4194212,"utilization":0.002,"var":1,"pgs":9,"status":"up"}],"stray":[],"summary":{}}

{"stats":{},"pools":[{"name":"vms","id":2,"stats":{"stored":247,"objects":9,"kb_used":1,"bytes_used":494,"percent_used":0.25,"max_avail":4080124672}}]}

ID  HOST   USED  AVAIL  WR OPS  WR DATA  RD OPS  RD DATA  STATE
 0  hv1    91.0k  4095M     12    1.5M      0        0   exists,up
"#;

    const RADOS: &str = r#"{"pools":[{"name":"vms","id":2,"num_objects":9,"num_object_clones":1,"num_object_copies":18,"num_objects_missing_on_primary":0,"num_objects_unfound":0,"num_objects_degraded":3,"read_ops":1341,"read_bytes":1129472,"write_ops":99,"write_bytes":40960}]}"#;

    fn figures() -> Figures {
        read(("status\n".into(), "df\n".into()), ANSWERS, RADOS).unwrap()
    }

    #[test]
    fn the_answers_of_a_session_are_told_apart() {
        let answers = "  cluster:\n    id:     ad584e2b-80cd-49e4-9c4c-01cbe2c896c7\n\n\
                       ad584e2b-80cd-49e4-9c4c-01cbe2c896c7\n\n--- RAW STORAGE ---\n \n";
        let (status, usage) = texts(answers).unwrap();
        assert_eq!(status, "  cluster:\n    id:     ad584e2b-80cd-49e4-9c4c-01cbe2c896c7\n");
        assert_eq!(usage, "--- RAW STORAGE ---\n");
        assert_eq!(texts("  cluster:\n"), None);
    }

    #[test]
    fn an_osd_has_the_figures_of_all_that_tell_of_it() {
        let figures = figures();
        let stats: Value = serde_json::from_str(figures.osds[&OsdId(0)].text()).unwrap();
        for (name, value) in [
            ("uuid", json!("6a1f")),
            ("up", json!(1)),
            ("in", json!(1)),
            ("class", json!("hdd")),
            ("weight", json!(0.0038)),
            ("reweight", json!(1)),
            ("kb_used", json!(91)),
            ("pgs", json!(9)),
            ("node", json!("hv1")),
            ("used", json!("91.0k")),
            ("wr_ops", json!(12)),
            ("wr_data", json!(3 << 19)),
            ("state", json!("exists,up")),
        ] {
            assert_eq!(stats[name], value, "{name}");
        }
    }

    #[test]
    fn a_pool_has_its_space_and_its_objects() {
        let figures = figures();
        let pool = "vms".parse().unwrap();
        let stats: Value = serde_json::from_str(figures.pools[&pool].text()).unwrap();
        for (name, value) in [
            ("id", json!(2)),
            ("stored_bytes", json!(247)),
            ("free_bytes", json!(4_080_124_672_u64)),
            ("used_bytes", json!(494)),
            ("used_percent", json!(0.25)),
            ("num_objects", json!(9)),
            ("num_object_copies", json!(18)),
            ("num_objects_degraded", json!(3)),
            ("write_ops", json!(99)),
        ] {
            assert_eq!(stats[name], value, "{name}");
        }
    }

    #[test]
    fn an_osd_of_an_unknown_host_has_rates_all_the_same() {
        let rates = rates(" 3         0      0      1        0      2.5k     0   exists\n");
        assert_eq!((rates[&3].node.as_str(), rates[&3].wr_ops, rates[&3].rd_ops), ("", 1, 2500));
        assert_eq!(super::rates("ID HOST USED\nx y\n"), BTreeMap::new());
    }

    #[test]
    fn answers_in_other_words_are_no_figures() {
        let texts = || (String::new(), String::new());
        assert_eq!(read(texts(), "{}\n{}\n{}\n{}\n", RADOS), None);
        assert_eq!(read(texts(), ANSWERS, "{}"), None);
        assert_eq!(read(texts(), "", RADOS), None);
    }
}
