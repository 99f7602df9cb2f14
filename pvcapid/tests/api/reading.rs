//! What the API tells of a cluster.

use crate::support::{Cluster, DB1, WEB1};
use serde_json::json;

#[tokio::test]
async fn the_root_tells_what_this_is() {
    let cluster = Cluster::new().await;
    let root = cluster.get("/").await.is(200);
    assert_eq!(root.message(), "PVC API version 1.0");
    let without_slash = cluster.get("").await.is(308);
    assert_eq!(without_slash.headers["location"], "/api/v1/");
}

#[tokio::test]
async fn the_status_sums_the_cluster_up() {
    let status = Cluster::new().await.get("/status").await.is(200).body;
    assert_eq!(status["cluster_name"], "pvc1");
    assert_eq!(
        status["cluster_health"],
        json!({"health": 93, "messages": [
            {"id": "NODE_PLUGIN_DPKG_HV2", "health_delta": 5, "text": "old packages"},
            {"id": "NODE_PLUGIN_LOAD_HV2", "health_delta": 2,
             "text": "hv2 load: Current load is 0.42"}]})
    );
    assert_eq!(status["node_health"]["hv2"]["health"], 95);
    assert_eq!(status["node_health"]["hv2"]["messages"], json!(["'load': Current load is 0.42"]));
    assert_eq!(status["node_health"]["hv1"], json!({"health": "N/A", "messages": []}));
    assert_eq!(status["maintenance"], "false");
    assert_eq!(status["primary_node"], "hv1");
    assert_eq!(status["pvc_version"], "1.0.3");
    assert_eq!(status["upstream_ip"], "10.0.0.250/24");
    assert_eq!(status["nodes"], json!({"total": 3, "run,flushed": 1, "run,ready": 2}));
    assert_eq!(status["vms"], json!({"total": 2, "start": 1, "stop": 1}));
    assert_eq!(status["osds"], json!({"total": 2, "unknown": 1, "up,in": 1}));
    for (what, count) in [("networks", 1), ("pools", 1), ("volumes", 1), ("snapshots", 1)] {
        assert_eq!(status[what], count, "{what}");
    }
    assert_eq!(
        status["resources"],
        json!({
            "memory": {"total": 192_000, "free": 162_000, "used": 27_000, "allocated": 6144,
                       "provisioned": 12_288, "utilization": 14.06},
            "cpu": {"total": 48, "load": 1.26, "allocated": 6, "utilization": 2.63},
            "disk": {"total": 100, "used": 20, "free": 80, "utilization": 10.25},
        })
    );
    assert_eq!(status["detail"]["vm"][0], json!({"uuid": DB1, "name": "db1", "state": "stop"}));
    let osds = json!([{"id": "0", "up": "up", "in": "in"},
                      {"id": "1", "up": "unknown", "in": "unknown"}]);
    assert_eq!(status["detail"]["osd"], osds, "Ceph has not told of the new one");
}

#[tokio::test]
async fn the_primary_is_told_to_everybody_unless_there_is_none() {
    let cluster = Cluster::new().await;
    let primary = cluster.get("/status/primary_node").await.is(200);
    assert_eq!(primary.body, json!({"primary_node": "hv1"}));
    cluster.write("/config/primary_node", "none").await;
    assert!(cluster.get("/status/primary_node").await.is(204).body.is_null());
    assert_eq!(cluster.get("/status").await.is(200).body["primary_node"], "none");
}

#[tokio::test]
async fn a_node_is_shown_with_everything_it_published() {
    let node = &Cluster::new().await.get("/node/hv1").await.is(200).body[0];
    assert_eq!(node["running_domains"], json!(["web1"]));
    assert_eq!(node["health"], "N/A");
    assert_eq!(node["cpu_count"], 16);
    assert_eq!(node["vcpu"], json!({"total": 16, "allocated": 2}));
    assert_eq!(node["interfaces"]["ens4"]["link_speed"], 10_000_000_000_u64);
    assert_eq!(node["health_plugins"], json!(["disk", "load"]));
    assert_eq!(
        node["health_details"],
        json!([{"name": "load", "last_run": 1_700_000_000, "health_delta": 0,
                "message": "Current load is 0.42", "data": {"load": 0.42}}])
    );
    assert!(!node.to_string().contains("hunter2"), "the BMC's password is nobody's business");
}

#[tokio::test]
async fn nodes_are_filtered_by_every_state_that_is_given() {
    let cluster = Cluster::new().await;
    for (query, names) in [
        ("", vec!["hv1", "hv2", "hv3"]),
        ("?limit=2", vec!["hv2"]),
        ("?domain_state=ready", vec!["hv1", "hv2"]),
        ("?domain_state=ready&coordinator_state=secondary", vec!["hv2"]),
    ] {
        let nodes = cluster.get(&format!("/node{query}")).await.is(200).body;
        let found: Vec<_> =
            nodes.as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
    }
    assert_eq!(cluster.get("/node?daemon_state=dead").await.is(404).message(), "Node not found.");
    assert!(cluster.get("/node?limit=(").await.is(400).message().starts_with("Regex Error: "));
}

#[tokio::test]
async fn a_node_tells_its_states_one_by_one() {
    let cluster = Cluster::new().await;
    for (what, key, value) in [
        ("daemon-state", "daemon_state", "run"),
        ("coordinator-state", "coordinator_state", "primary"),
        ("domain-state", "domain_state", "ready"),
    ] {
        let state = cluster.get(&format!("/node/hv1/{what}")).await.is(200).body;
        assert_eq!(state, json!({"name": "hv1", key: value}));
        let missing = cluster.get(&format!("/node/hv9/{what}")).await.is(404);
        assert_eq!(missing.message(), "Node not found.");
    }
}

#[tokio::test]
async fn logs_are_shown_from_their_end() {
    let cluster = Cluster::new().await;
    let log = cluster.get("/node/hv1/log?lines=2").await.is(200).body;
    assert_eq!(log, json!({"name": "hv1", "data": "two\nthree"}));
    assert_eq!(cluster.get("/node/hv2/log").await.is(200).body["data"], "");
    let console = cluster.get("/vm/web1/console?lines=2").await.is(200).body;
    assert_eq!(console, json!({"name": "web1", "data": "root\n# "}));
    cluster.get("/node/hv1/log?lines=many").await.is(400);
    cluster.get("/vm/web9/console").await.is(404);
}

#[tokio::test]
async fn a_vm_is_shown_with_definition_and_statistics() {
    let cluster = Cluster::new().await;
    for name in ["web1", WEB1, "web."] {
        let vms = cluster.get(&format!("/vm/{name}")).await.is(200).body;
        assert_eq!((vms.as_array().unwrap().len(), &vms[0]["uuid"]), (1, &json!(WEB1)), "{name}");
    }
    let vm = &cluster.get("/vm/web1").await.body[0];
    for (key, value) in [
        ("state", json!("start")),
        ("node", json!("hv1")),
        ("last_node", json!("")),
        ("migrated", json!("no")),
        ("node_limit", json!(["hv1", "hv2"])),
        ("node_selector", json!(null)),
        ("node_autostart", json!(false)),
        ("migration_method", json!(null)),
        ("migration_max_downtime", json!(300)),
        ("tags", json!([{"name": "backup", "type": "user", "protected": true}])),
        ("description", json!("N/A")),
        ("profile", json!("None")),
        ("memory", json!(2048)),
        ("memory_stats", json!({"actual": 2_097_152, "rss": 500_000})),
        ("vcpu", json!(2)),
        ("vcpu_topology", json!("N/A")),
        ("vcpu_stats", json!({"cpu_time": 17})),
        ("type", json!("hvm")),
        ("machine", json!("pc-i440fx-7.2")),
        ("console", json!("pty")),
        ("vnc", json!({"listen": "0.0.0.0", "port": "5900"})),
    ] {
        assert_eq!(vm[key], value, "{key}");
    }
    assert_eq!(
        (&vm["networks"][0]["vni"], &vm["networks"][0]["wr_packets"]),
        (&json!("1001"), &json!(6))
    );
    assert_eq!(
        (&vm["disks"][0]["name"], &vm["disks"][0]["wr_bytes"]),
        (&json!("/var/web1.img"), &json!(4))
    );
    let snapshot = &vm["snapshots"][0];
    assert_eq!((&snapshot["name"], &snapshot["timestamp"]), (&json!("s1"), &json!("1700000000.5")));
    assert_eq!(snapshot["rbd_snapshots"], json!(["vms/web1_sda@s1"]));
    assert_eq!(snapshot["xml_diff_lines"][0], "--- current");
    assert!(snapshot["age"].as_u64().unwrap() > 0);
    assert!(vm["xml"].as_str().unwrap().starts_with("<domain type='kvm'><name>web1</name>"));
    assert_eq!(cluster.get("/vm/web9").await.is(404).message(), "VM not found.");
}

#[tokio::test]
async fn vms_are_filtered_by_everything_that_is_given() {
    let cluster = Cluster::new().await;
    for (query, names) in [
        ("", vec!["db1", "web1"]),
        ("?limit=eb", vec!["web1"]),
        ("?limit=7E2D3B4F-9b72-4c18-8e54-1c2a7b3d0f21", vec!["db1"]),
        ("?node=hv1", vec!["web1"]),
        ("?node=hv1&negate=true", vec!["db1"]),
        ("?state=stop", vec!["db1"]),
        ("?tag=backup", vec!["web1"]),
    ] {
        let vms = cluster.get(&format!("/vm{query}")).await.is(200).body;
        let found: Vec<_> =
            vms.as_array().unwrap().iter().map(|vm| vm["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
    }
    for query in ["limit=^b", "tag=backup&state=stop", "tag=backup&limit=web&negate=1"] {
        let answer = cluster.get(&format!("/vm?{query}")).await.is(404);
        assert_eq!(answer.message(), "VM not found.");
    }
    for (query, message) in [
        ("node=hv9", "Specified node 'hv9' is invalid."),
        ("state=asleep", "VM state 'asleep' is not valid."),
    ] {
        assert_eq!(cluster.get(&format!("/vm?{query}")).await.is(400).message(), message);
    }
}

#[tokio::test]
async fn a_vm_tells_its_parts_one_by_one() {
    let cluster = Cluster::new().await;
    let meta = cluster.get("/vm/db1/meta").await.is(200).body;
    assert_eq!(
        meta,
        json!({"name": "db1", "node_limit": null, "node_selector": null,
               "node_autostart": "False", "migration_method": null,
               "migration_max_downtime": 300})
    );
    let state = cluster.get("/vm/db1/state").await.is(200).body;
    assert_eq!(state, json!({"name": "db1", "state": "stop"}));
    let node = cluster.get("/vm/db1/node").await.is(200).body;
    assert_eq!(node, json!({"name": "db1", "node": "hv2", "last_node": ""}));
    let tags = cluster.get("/vm/db1/tags").await.is(200).body;
    assert_eq!(tags, json!({"name": "db1", "tags": []}));
    for part in ["meta", "state", "node", "tags"] {
        cluster.get(&format!("/vm/db9/{part}")).await.is(404);
    }
}

#[tokio::test]
async fn odd_data_hides_neither_its_vm_nor_its_neighbours() {
    let cluster = Cluster::new().await;
    for (suffix, text) in [
        ("/node_autostart", "perhaps"),
        ("/tags/backup/protected", "None"),
        ("/stats", "{"),
        ("/xml", "no xml \u{1f}"),
        ("/state", "asleep"),
    ] {
        cluster.write(&format!("/domains/{WEB1}{suffix}"), text).await;
        let vms = cluster.get("/vm").await.is(200).body;
        assert_eq!(vms.as_array().unwrap().len(), 2, "{suffix}");
        assert_eq!(vms[1]["name"], "web1");
    }
    cluster.get("/status").await.is(200);
}

#[tokio::test]
async fn faults_are_listed_and_sorted() {
    let cluster = Cluster::new().await;
    for (query, first) in [
        ("", "VM_FAILED_DB1"),
        ("?sort_key=first_reported", "VM_FAILED_DB1"),
        ("?sort_key=health_delta", "NODE_PLUGIN_DPKG_HV2"),
        ("?sort_key=acknowledged_at", "VM_FAILED_DB1"),
    ] {
        let faults = cluster.get(&format!("/faults{query}")).await.is(200).body;
        assert_eq!(faults[0]["id"], first, "{query}");
    }
    cluster.get("/faults?sort_key=colour").await.is(400);
    assert_eq!(
        cluster.get("/faults/VM_FAILED_DB1").await.is(200).body,
        json!([{"id": "VM_FAILED_DB1", "last_reported": "2024-01-03 00:00:00",
                "first_reported": "2024-01-03 00:00:00",
                "acknowledged_at": "2024-01-04 00:00:00", "status": "ack",
                "health_delta": 10, "message": "db1 failed"}])
    );
    assert_eq!(cluster.get("/faults/NONE").await.is(200).body, json!([]));
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_json() {
    let cluster = Cluster::new().await;
    assert_eq!(cluster.get("/nonsense").await.is(404).body["code"], "no-such-endpoint");
    assert_eq!(cluster.put("/vm", "").await.is(405).body["code"], "no-such-endpoint");
}

#[tokio::test]
async fn the_description_is_served_with_a_page_to_browse_it() {
    let cluster = Cluster::new().await;
    let document = cluster.get("/openapi.json").await.is(200).body;
    assert_eq!(document["info"]["title"], "PVC API");
    assert!(document["paths"]["/api/v1/vm/{vm}"]["delete"].is_object());
    let page = cluster.get("/docs/").await.is(200);
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
}
