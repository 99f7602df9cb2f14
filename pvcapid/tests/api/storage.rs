//! What the API tells of the storage.

use crate::support::{Answer, Cluster};
use serde_json::{Value, json};

/// As `rbd info --format json` tells of 10 GiB.
const INFO: &str = r#"{"name":"web1_sda","id":"5e3a","size":10737418240,"objects":2560,"order":22,
    "features":["layering","exclusive-lock"],"snapshot_count":1}"#;

/// The example cluster with more storage, a part of it odd.
async fn cluster() -> Cluster {
    let cluster = Cluster::new().await;
    for (path, text) in [
        ("/ceph", "  cluster:\n    id: 1\n"),
        ("/ceph/util", "--- RAW STORAGE ---\n"),
        ("/ceph/osds/0/node", "hv1"),
        ("/ceph/osds/0/device", "/dev/sdb"),
        ("/ceph/osds/0/db_device", "osd-db/osd-0"),
        ("/ceph/osds/0/fsid", ""),
        ("/ceph/osds/0/fsid/osd", "c0ffee"),
        ("/ceph/osds/0/is_split", "True"),
        ("/ceph/osds/10", ""),
        ("/ceph/osds/2", ""),
        ("/ceph/osds/2/stats", "{"),
        ("/ceph/pools/vms/pgs", "64"),
        ("/ceph/pools/vms/tier", "ssd"),
        ("/ceph/pools/vms/stats", r#"{"id":2,"free_bytes":1000}"#),
        ("/ceph/pools/backup", ""),
        ("/ceph/pools/backup/pgs", "many"),
        ("/ceph/pools/backup/stats", r#"{"id":3}"#),
        ("/ceph/pools/archive", ""),
        ("/ceph/volumes/vms/web1_sda/stats", INFO),
        ("/ceph/volumes/vms/db1_sda", ""),
        ("/ceph/volumes/vms/db1_sda/stats", "no JSON"),
        ("/ceph/volumes/backup/mail1_sda", ""),
        ("/ceph/snapshots/vms/web1_sda/snap1/stats", r#"{"size":1024}"#),
        ("/ceph/snapshots/vms/web1_sda/before", ""),
        ("/ceph/snapshots/backup/mail1_sda/daily", ""),
    ] {
        cluster.write(path, text).await;
    }
    cluster
}

/// What the objects of a list are called.
fn names<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer.body.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap()).collect()
}

/// Asserts what is listed for each query, and that nothing is refused as it should be.
async fn lists(path: &str, name: &str, cases: &[(&str, &[&str])], nothing: (&str, &str)) {
    let cluster = cluster().await;
    for (query, expected) in cases {
        let answer = cluster.get(&format!("{path}{query}")).await.is(200);
        assert_eq!(names(&answer, name), *expected, "{query}");
    }
    let (query, message) = nothing;
    assert_eq!(cluster.get(&format!("{path}{query}")).await.is(404).message(), message);
    assert_eq!(Cluster::empty().await.get(path).await.is(404).message(), message);
    let bad = cluster.get(&format!("{path}?limit=(")).await.is(400);
    assert!(bad.message().starts_with("Regex Error: "));
}

#[tokio::test]
async fn the_roots_of_the_storage_say_nothing() {
    let cluster = Cluster::new().await;
    for path in ["/storage", "/storage/ceph"] {
        assert_eq!(cluster.get(path).await.is(200).body, Value::Null);
    }
}

#[tokio::test]
async fn what_ceph_says_to_people_is_shown_as_it_says_it() {
    let cluster = cluster().await;
    for (kind, text) in
        [("status", "  cluster:\n    id: 1\n"), ("utilization", "--- RAW STORAGE ---\n")]
    {
        let shown = cluster.get(&format!("/storage/ceph/{kind}")).await.is(200).body;
        assert_eq!(shown, json!({"type": kind, "primary_node": "hv1", "ceph_data": text}));
    }
    cluster.write("/config/primary_node", "none").await;
    let shown = cluster.get("/storage/ceph/status").await.is(200).body;
    assert_eq!(shown["primary_node"], "none");
    let nothing = Cluster::empty().await.get("/storage/ceph/utilization").await.is(200).body;
    assert_eq!(nothing, json!({"type": "utilization", "primary_node": "none", "ceph_data": ""}));
}

#[tokio::test]
async fn osds_are_listed_by_number() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["0", "1", "2", "10"]),
        ("?limit=1", &["1", "10"]),
        ("?limit=^1$", &["1"]),
        ("?limit=0", &["0", "10"]),
    ];
    lists("/storage/ceph/osd", "id", cases, ("?limit=7", "OSD not found.")).await;
}

#[tokio::test]
async fn an_osd_is_shown_by_its_very_number() {
    let cluster = cluster().await;
    let osd = cluster.get("/storage/ceph/osd/0").await.is(200).body;
    assert_eq!(
        osd,
        json!([{"id": "0", "fsid": "c0ffee", "node": "hv1", "device": "/dev/sdb",
                "is_split": true, "db_device": "osd-db/osd-0",
                "stats": {"up": 1, "in": 1, "kb": 100, "kb_used": 20, "kb_avail": 80,
                          "utilization": 20.5}}])
    );
    assert_eq!(names(&cluster.get("/storage/ceph/osd/1").await.is(200), "id"), ["1"]);
    let odd = cluster.get("/storage/ceph/osd/2").await.is(200).body;
    assert_eq!(odd[0]["stats"], json!({}));
    for id in ["7", "01", "1.", "one"] {
        let missing = cluster.get(&format!("/storage/ceph/osd/{id}")).await.is(404);
        assert_eq!(missing.message(), "OSD not found.");
    }
}

#[tokio::test]
async fn an_osd_tells_whether_it_serves() {
    let cluster = cluster().await;
    for (id, serves) in [("0", 1), ("1", 0), ("2", 0), ("10", 0)] {
        let state = cluster.get(&format!("/storage/ceph/osd/{id}/state")).await.is(200).body;
        assert_eq!(state, json!({"id": id, "in": serves, "up": serves}));
    }
    let missing = cluster.get("/storage/ceph/osd/7/state").await.is(404);
    assert_eq!(missing.message(), "OSD not found.");
}

#[tokio::test]
async fn pools_are_listed_in_the_order_in_which_ceph_made_them() {
    let cases: &[(&str, &[&str])] =
        &[("", &["vms", "backup", "archive"]), ("?limit=a", &["backup", "archive"])];
    lists("/storage/ceph/pool", "name", cases, ("?limit=^x", "Pool not found.")).await;
}

#[tokio::test]
async fn a_pool_is_shown_with_the_number_of_its_volumes() {
    let cluster = cluster().await;
    for (name, pool) in [
        (
            "vms",
            json!({"name": "vms", "volume_count": 2, "tier": "ssd", "pgs": "64",
                   "stats": {"id": 2, "free_bytes": 1000}}),
        ),
        (
            "backup",
            json!({"name": "backup", "volume_count": 1, "tier": "", "pgs": "",
                   "stats": {"id": 3}}),
        ),
        (
            "archive",
            json!({"name": "archive", "volume_count": 0, "tier": "", "pgs": "", "stats": {}}),
        ),
    ] {
        let shown = cluster.get(&format!("/storage/ceph/pool/{name}")).await.is(200).body;
        assert_eq!(shown, json!([pool]));
    }
    for name in ["vm", "vm."] {
        let missing = cluster.get(&format!("/storage/ceph/pool/{name}")).await.is(404);
        assert_eq!(missing.message(), "Pool not found.");
    }
}

#[tokio::test]
async fn volumes_are_listed_by_name_and_by_pool() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["db1_sda", "mail1_sda", "web1_sda"]),
        ("?pool=vms", &["db1_sda", "web1_sda"]),
        ("?limit=1_sda&pool=backup", &["mail1_sda"]),
        ("?limit=^web1_", &["web1_sda"]),
    ];
    let nothing = ("?pool=archive", "Volume not found.");
    lists("/storage/ceph/volume", "name", cases, nothing).await;
    let cluster = cluster().await;
    for pool in ["nowhere", "vm", "a,b"] {
        let refusal = cluster.get(&format!("/storage/ceph/volume?pool={pool}")).await.is(400);
        let message = format!("ERROR: There is no pool '{pool}'.");
        assert_eq!(refusal.message(), message);
        assert_eq!(refusal.body["code"], "no-such-pool");
    }
}

#[tokio::test]
async fn a_volume_is_shown_with_its_size_for_people() {
    let cluster = cluster().await;
    let shown = cluster.get("/storage/ceph/volume/vms/web1_sda").await.is(200).body;
    let mut stats: Value = serde_json::from_str(INFO).unwrap();
    stats["size"] = "10G".into();
    assert_eq!(shown, json!([{"name": "web1_sda", "pool": "vms", "stats": stats}]));
    let odd = cluster.get("/storage/ceph/volume/vms/db1_sda").await.is(200).body;
    assert_eq!(odd, json!([{"name": "db1_sda", "pool": "vms", "stats": {}}]));
    for path in ["vms/web1", "vms/web1.sda", "backup/web1_sda", "nowhere/web1_sda"] {
        let missing = cluster.get(&format!("/storage/ceph/volume/{path}")).await.is(404);
        assert_eq!(missing.message(), "Volume not found.");
    }
}

#[tokio::test]
async fn a_volume_that_changes_is_shown_as_it_is_now() {
    let cluster = cluster().await;
    let size = async || {
        let list = cluster.get("/storage/ceph/volume?limit=web1").await.is(200);
        list.body[0]["stats"]["size"].clone()
    };
    assert_eq!(size().await, "10G");
    cluster.write("/ceph/volumes/vms/web1_sda/stats", r#"{"size":21474836480}"#).await;
    assert_eq!(size().await, "20G");
    cluster.write("/ceph/volumes/vms/web2_sda", "").await;
    assert_eq!(size().await, "20G");
    let list = cluster.get("/storage/ceph/volume?limit=web").await.is(200);
    assert_eq!(names(&list, "name"), ["web1_sda", "web2_sda"]);
}

#[tokio::test]
async fn snapshots_are_listed_by_name_and_by_what_they_are_of() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["before", "daily", "snap1"]),
        ("?pool=vms", &["before", "snap1"]),
        ("?volume=mail1_sda", &["daily"]),
        ("?pool=vms&volume=web1_sda&limit=fore", &["before"]),
    ];
    let nothing = ("?pool=vms&volume=mail1_sda", "Volume snapshot not found.");
    lists("/storage/ceph/snapshot", "snapshot", cases, nothing).await;
}

#[tokio::test]
async fn a_snapshot_is_shown_with_what_it_is_of() {
    let cluster = cluster().await;
    for (name, stats) in [("snap1", json!({"size": 1024})), ("before", json!({}))] {
        let shown = cluster.get(&format!("/storage/ceph/snapshot/vms/web1_sda/{name}")).await;
        let expected =
            json!([{"pool": "vms", "volume": "web1_sda", "snapshot": name, "stats": stats}]);
        assert_eq!(shown.is(200).body, expected);
    }
    let missing = cluster.get("/storage/ceph/snapshot/vms/web1_sda/snap").await.is(404);
    assert_eq!(missing.message(), "Volume snapshot not found.");
}

#[tokio::test]
async fn what_is_wrong_with_the_storage_lowers_the_health_while_it_lasts() {
    let cluster = cluster().await;
    cluster.write("/nodes/hv2/monitoring_data/load/health_delta", "0").await;
    let before = cluster.get("/status").await.is(200).body["cluster_health"].clone();
    let check = |severity: &str, muted: bool| {
        json!({"severity": severity, "summary": {"message": "it ails", "count": 1},
            "muted": muted})
    };
    let checks = json!({"OSD_DOWN": check("HEALTH_WARN", false),
        "POOL_FULL": check("HEALTH_ERR", false), "SLOW_OPS": check("HEALTH_WARN", true)});
    let health = json!({"status": "HEALTH_ERR", "checks": checks, "mutes": []});
    cluster.write("/ceph/health", &health.to_string()).await;
    let shown = cluster.get("/status").await.body["cluster_health"].clone();
    let ids = |shown: &Value| -> Vec<String> {
        let messages = shown["messages"].as_array().unwrap();
        messages.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        ids(&shown),
        ["CEPH_ERR_POOL_FULL", "CEPH_WARN_OSD_DOWN", "NODE_PLUGIN_DPKG_HV2"],
        "{shown}"
    );
    assert_eq!(before["health"].as_i64().unwrap() - shown["health"].as_i64().unwrap(), 60);
    // A fault of the same name, which somebody has taken note of, counts instead.
    for (key, text) in [("", ""), ("/status", "ack"), ("/delta", "50"), ("/message", "full")] {
        cluster.write(&format!("/faults/CEPH_ERR_POOL_FULL{key}"), text).await;
    }
    let shown = cluster.get("/status").await.body["cluster_health"].clone();
    assert_eq!(ids(&shown), ["CEPH_WARN_OSD_DOWN", "NODE_PLUGIN_DPKG_HV2"]);
    cluster.write("/ceph/health", r#"{"status":"HEALTH_OK","checks":{},"mutes":[]}"#).await;
    let stats = r#"{"up":0,"in":0,"kb":100,"kb_used":20,"kb_avail":80}"#;
    cluster.write("/ceph/osds/0/stats", stats).await;
    cluster.write("/nodes/hv1/monitoring_health", "100").await;
    let status = cluster.get("/status").await.body;
    let out = ["CEPH_OSD_OUT_0", "NODE_PLUGIN_DPKG_HV2"];
    assert_eq!(ids(&status["cluster_health"]), out, "OSDs nobody has told of count nothing");
    let own = json!({"health": 90, "messages": ["'storage': OSD 0 is down"]});
    assert_eq!(status["node_health"]["hv1"], own);
    let node = cluster.get("/node/hv1").await.body[0].clone();
    assert_eq!(node["health"], 90);
}
