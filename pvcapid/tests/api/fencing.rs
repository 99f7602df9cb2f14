//! The death of nodes: what is told of it, and what can be ordered.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::exposition::read;
use crate::support::{Cluster, DB1, WEB1};

const SURE: &str = "yes-i-really-mean-it=yes";

fn record(id: &str, node: &str, phase: &str, condemned_ms: u64) -> String {
    json!({
        "id": id, "node": node, "by": "hv1", "phase": phase, "why": "suspected by hv1, hv2",
        "boot": "b1", "power_cut": true, "suspected_ms": condemned_ms - 1500,
        "condemned_ms": condemned_ms, "proved_ms": null, "finished_ms": null,
        "evidence": [{"kind": "ipmi", "verdict": "failed", "detail": "no answer", "at_ms": 9}],
        "moved": [{"vm": WEB1, "to": "hv2"}], "waiting": [DB1],
    })
    .to_string()
}

async fn order(cluster: &Cluster, node: &str, action: &str) -> crate::support::Answer {
    cluster.post(&format!("/node/{node}/fence"), &format!("action={action}&{SURE}")).await
}

#[tokio::test]
async fn a_node_tells_of_its_mesh_its_promise_and_its_bmc() {
    let cluster = Cluster::new().await;
    let node = cluster.get("/node/hv2").await.is(200).body[0].clone();
    for absent in ["fence", "fence_order", "fenceable", "lease"] {
        assert_eq!(node[absent], Value::Null, "{absent}");
    }
    assert_eq!((&node["suspected_by"], &node["hears"]), (&json!([]), &json!({})));
    let hears = json!({
        "hv1": {"heard": true, "networks": {"cluster": {"rtt_us": 120, "silent_ms": 40}}},
        "hv3": {"heard": false, "networks": {"storage": {"rtt_us": null, "silent_ms": null}}},
    });
    let lease = json!({"kind": "device", "ms": 9000, "voters": ["hv1", "hv3"]});
    cluster.write("/nodes/hv2/hears", &hears.to_string()).await;
    cluster.write("/nodes/hv2/lease", &lease.to_string()).await;
    cluster.write("/nodes/hv2/fenceable", r#"{"ok": true, "message": "answers"}"#).await;
    cluster.write("/nodes/hv2/suspicions/hv3", "1 1200").await;
    cluster.write("/nodes/hv2/fence_order", "fence").await;
    let node = cluster.get("/node/hv2").await.is(200).body[0].clone();
    assert_eq!((&node["hears"], &node["lease"]), (&hears, &lease));
    assert_eq!(node["fenceable"], json!({"ok": true, "message": "answers"}));
    assert_eq!((&node["suspected_by"], &node["fence_order"]), (&json!(["hv3"]), &json!("fence")));
    cluster.write("/nodes/hv2/hears", r#"{"hv1": "?", "hv3": {"heard": true}}"#).await;
    let node = cluster.get("/node/hv2").await.is(200).body[0].clone();
    assert_eq!(node["hears"], json!({"hv3": {"heard": true, "networks": {}}}), "odd is left out");
}

#[tokio::test]
async fn fences_are_listed_the_newest_first_with_the_names_of_their_vms() {
    let cluster = Cluster::new().await;
    assert_eq!(cluster.get("/fence").await.is(200).body, json!([]));
    cluster.write("/fences/hv2-1", &record("hv2-1", "hv2", "finished", 10_000)).await;
    cluster.write("/fences/hv3-2", &record("hv3-2", "hv3", "withdrawn", 20_000)).await;
    cluster.write("/fences/hv3-0", "{}").await;
    cluster.write("/nodes/hv3/fence", &record("hv3-3", "hv3", "proving", 30_000)).await;
    for (query, ids) in [
        ("", vec!["hv3-3", "hv3-2", "hv2-1"]),
        ("?node=hv3", vec!["hv3-3", "hv3-2"]),
        ("?limit=1", vec!["hv3-3"]),
        ("?node=hv2&limit=5", vec!["hv2-1"]),
        ("?node=hv9", vec![]),
    ] {
        let fences = cluster.get(&format!("/fence{query}")).await.is(200).body;
        let found: Vec<_> = fences.as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(found, ids, "{query}");
    }
    cluster.get("/fence?limit=few").await.is(400);
    let fence = cluster.get("/fence/hv3-3").await.is(200).body[0].clone();
    assert_eq!(fence["evidence"][0]["kind"], "ipmi");
    assert_eq!(fence["moved"], json!([{"vm": WEB1, "name": "web1", "to": "hv2"}]));
    assert_eq!(fence["waiting"], json!([{"vm": DB1, "name": "db1"}]));
    assert_eq!(cluster.get("/node/hv3").await.body[0]["fence"], fence);
    assert_eq!(cluster.get("/fence/hv9-1").await.is(404).message(), "Fence not found.");
}

#[tokio::test]
async fn a_fence_and_a_silent_bmc_lower_the_health_while_they_last() {
    let cluster = Cluster::new().await;
    cluster.write("/nodes/hv2/fenceable", r#"{"ok": false, "message": "no answer"}"#).await;
    cluster.write("/nodes/hv3/fence", &record("hv3-1", "hv3", "proving", 2000)).await;
    let status = cluster.get("/status").await.is(200).body;
    let unfenceable = "Node hv2 could not be switched off by others: no answer";
    let fencing = "Node hv3 is being fenced: suspected by hv1, hv2";
    assert_eq!(
        status["cluster_health"],
        json!({"health": 33, "messages": [
            {"id": "NODE_FENCING_HV3", "health_delta": 50, "text": fencing},
            {"id": "NODE_UNFENCEABLE_HV2", "health_delta": 10, "text": unfenceable},
            {"id": "NODE_PLUGIN_DPKG_HV2", "health_delta": 5, "text": "old packages"},
            {"id": "NODE_PLUGIN_LOAD_HV2", "health_delta": 2,
             "text": "hv2 load: Current load is 0.42"}]})
    );
    assert_eq!(
        status["node_health"]["hv2"],
        json!({"health": 95, "messages": ["'load': Current load is 0.42"]}),
        "its own check tells of its BMC"
    );
    assert_eq!(status["node_health"]["hv3"]["health"], "N/A", "nobody has checked it");
    let node = cluster.get("/node/hv2").await.body[0].clone();
    assert_eq!(node["health"], 95);
    let node = cluster.get("/node/hv3").await.body[0].clone();
    let details = node["health_details"].as_array().unwrap();
    assert!(details.iter().any(|detail| detail["message"] == fencing), "{details:?}");
    assert_eq!(cluster.get("/faults").await.body.as_array().unwrap().len(), 2, "no fault of it");
    cluster.remove("/nodes/hv3/fence").await;
    cluster.write("/nodes/hv2/fenceable", r#"{"ok": true, "message": "answers"}"#).await;
    assert_eq!(cluster.get("/status").await.body["cluster_health"]["health"], 93);
}

#[tokio::test]
async fn what_a_nodes_checks_find_lowers_the_clusters_health_while_the_node_is_up() {
    let cluster = Cluster::new().await;
    let ids = async || {
        let status = cluster.get("/status").await.is(200).body;
        let messages = status["cluster_health"]["messages"].as_array().unwrap().clone();
        messages.iter().map(|message| message["id"].clone()).collect::<Vec<_>>()
    };
    let (packages, load) = ("NODE_PLUGIN_DPKG_HV2", "NODE_PLUGIN_LOAD_HV2");
    assert_eq!(ids().await, [packages, load], "the first is a fault");
    cluster.write("/nodes/hv2/daemonstate", "stop").await;
    assert_eq!(ids().await, [packages], "what it said then is of no use now");
    cluster.write("/nodes/hv2/daemonstate", "run").await;
    cluster.write("/nodes/hv2/monitoring_data/load/health_delta", "0").await;
    assert_eq!(ids().await, [packages]);
}

#[tokio::test]
async fn a_fence_is_ordered_only_by_whoever_means_it() {
    let cluster = Cluster::new().await;
    let path = "/node/hv3/fence";
    for form in ["", SURE, "action=burn&yes-i-really-mean-it=yes", "action=fence"] {
        cluster.post(path, form).await.is(400);
    }
    assert_eq!(cluster.read("/nodes/hv3/fence_order").await, None);
    let answer = order(&cluster, "hv3", "fence").await.is(200);
    assert_eq!(answer.message(), "Ordered the fence of node hv3.");
    assert_eq!(cluster.read("/nodes/hv3/fence_order").await.unwrap(), "fence");
    assert_eq!(cluster.get("/node/hv3").await.body[0]["fence_order"], "fence");
    let answer = order(&cluster, "hv3", "fence").await.is(200);
    assert_eq!(answer.message(), "The fence of node hv3 is ordered already.");
    let answer = cluster.post(path, "action=cancel").await.is(200);
    assert_eq!(answer.message(), "Cancelled the order about the fence of node hv3.");
    assert_eq!(cluster.read("/nodes/hv3/fence_order").await, None);
    let answer = cluster.post(path, "action=cancel").await.is(400);
    assert_eq!(answer.body["code"], "no-order");
    let answer = order(&cluster, "hv9", "fence").await.is(400);
    assert_eq!(answer.message(), "ERROR: No node named hv9 is present in the cluster.");
    let request = Request::post("/api/v1/node/hv3/fence").body(Body::empty()).unwrap();
    cluster.send(request).await.is(401);
}

#[tokio::test]
async fn a_person_confirms_a_death_but_not_of_a_node_that_runs() {
    let cluster = Cluster::new().await;
    let answer = order(&cluster, "hv3", "confirm-dead").await.is(400);
    assert_eq!(answer.body["code"], "node-alive");
    cluster.write("/nodes/hv3/daemonstate", "dead").await;
    cluster.write("/nodes/hv3/fence", &record("hv3-1", "hv3", "proving", 2000)).await;
    let answer = order(&cluster, "hv3", "confirm-dead").await.is(200);
    assert_eq!(answer.message(), "Confirmed that node hv3 is dead.");
    assert_eq!(cluster.read("/nodes/hv3/fence_order").await.unwrap(), "confirm-dead");
    let answer = cluster.post("/node/hv3/fence", "action=cancel").await.is(400);
    assert_eq!(answer.message(), "ERROR: The order was acted on: hv3-1 is proving.");
}

#[tokio::test]
async fn maintenance_does_not_keep_a_person_from_fencing() {
    let cluster = Cluster::new().await;
    cluster.post("/status", "state=true").await.is(200);
    order(&cluster, "hv3", "fence").await.is(200);
    assert_eq!(cluster.read("/nodes/hv3/fence_order").await.unwrap(), "fence");
}

#[tokio::test]
async fn a_displaced_vm_is_shown_as_such_until_somebody_wishes_something_else() {
    let cluster = Cluster::new().await;
    let displaced = format!("/domains/{DB1}/displaced");
    assert_eq!(cluster.get("/vm/db1").await.body[0]["displaced"], Value::Null);
    for request in ["state=stop", "state=disable", "state=stop"] {
        cluster.write(&displaced, "hv3").await;
        assert_eq!(cluster.get("/vm/db1").await.body[0]["displaced"], "hv3");
        cluster.post("/vm/db1/state", request).await.is(200);
        assert_eq!(cluster.read(&displaced).await, None, "{request}");
    }
    cluster.write(&displaced, "hv3").await;
    cluster.post("/vm/db1/meta", "autostart=False").await.is(200);
    assert_eq!(cluster.read(&displaced).await, None);
    cluster.write(&displaced, "hv3").await;
    cluster.write(&format!("/domains/{DB1}/node_autostart"), "True").await;
    cluster.write(&format!("/domains/{DB1}/state"), "stop").await;
    cluster.write("/nodes/hv2/daemonstate", "fenced").await;
    let answer = cluster.post("/vm/db1/state", "state=start").await.is(200);
    let waits = "VM 'db1' waits for a node that can take it, and starts there.";
    assert_eq!(answer.message(), waits);
    assert_eq!(cluster.read(&displaced).await.unwrap(), "hv3");
    cluster.post("/vm/db1/node", "action=move&node=hv1").await.is(200);
    assert_eq!(cluster.read(&displaced).await, None);
    cluster.write(&displaced, "hv3").await;
    cluster.delete("/vm/db1").await.is(200);
    assert_eq!(cluster.read(&displaced).await, None);
}

#[tokio::test]
async fn prometheus_is_told_of_fences_and_of_nodes_that_could_not_be_fenced() {
    let cluster = Cluster::new().await;
    cluster.write("/nodes/hv1/fenceable", r#"{"ok": true, "message": "answers"}"#).await;
    cluster.write("/nodes/hv2/fenceable", r#"{"ok": false, "message": "no answer"}"#).await;
    cluster.write("/nodes/hv2/suspicions/hv1", "1 1200").await;
    cluster.write("/nodes/hv2/suspicions/hv3", "4 1300").await;
    cluster.write("/nodes/hv3/fence", &record("hv3-3", "hv3", "proving", 30_000)).await;
    cluster.write("/fences/hv3-2", &record("hv3-2", "hv3", "withdrawn", 20_000)).await;
    cluster.write("/fences/hv3-1", "broken").await;
    let request = Request::get("/api/v1/metrics/health").body(Body::empty()).unwrap();
    let page = cluster.send(request).await.is(200).body.as_str().unwrap().to_owned();
    read(&page);
    for line in [
        r#"pvc_node_fenceable{node="hv1"} 1"#,
        r#"pvc_node_fenceable{node="hv2"} 0"#,
        r#"pvc_node_suspected_by{node="hv2"} 2"#,
        r#"pvc_node_suspected_by{node="hv3"} 0"#,
        "pvc_fences_in_progress 1",
        r#"pvc_fences{outcome="withdrawn"} 1"#,
        r#"pvc_fences{outcome="finished"} 0"#,
        r#"pvc_fences{outcome="unknown"} 1"#,
    ] {
        assert!(page.lines().any(|one| one == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains(r#"fenceable{node="hv3"}"#), "nobody has checked hv3");
}
