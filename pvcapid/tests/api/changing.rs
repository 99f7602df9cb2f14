//! What requests change: nodes, the cluster, faults.

use pvc_zk::{CommitFault, Tree};
use serde_json::Value;

use crate::support::{Answer, Cluster, encoded};

#[tokio::test]
async fn maintenance_is_set_once() {
    let cluster = Cluster::new().await;
    for (state, message) in [
        ("true", "Successfully set cluster in maintenance mode"),
        ("true", "Cluster is already in maintenance mode"),
        ("false", "Successfully set cluster in normal mode"),
    ] {
        let answer = cluster.post("/status", &format!("state={state}")).await.is(200);
        assert_eq!(answer.message(), message);
        // What one has written oneself is seen at once.
        assert_eq!(cluster.get("/status").await.body["maintenance"], state);
    }
    let answer = cluster.post("/status", "").await.is(400);
    assert_eq!(
        answer.body["message"]["state"],
        "Missing required parameter in the query string or the post body"
    );
    let answer = cluster.post("/status?state=maybe", "").await.is(400);
    assert!(answer.body["message"]["state"].as_str().unwrap().starts_with("maybe is not a valid"));
}

#[tokio::test]
async fn many_at_once_leave_one_result_and_no_error() {
    let cluster = Cluster::new().await;
    let tags: Vec<String> = (0..20).map(|n| format!("action=add&tag=t{n}")).collect();
    let requests = tags.iter().map(|form| cluster.post("/vm/db1/tags", form));
    let toggles = (0..20)
        .map(|n| cluster.post("/status", if n % 2 == 0 { "state=true" } else { "state=false" }));
    let (tagged, toggled) = tokio::join!(all(requests), all(toggles));
    assert!(tagged.iter().chain(&toggled).all(|status| *status == 200), "{tagged:?} {toggled:?}");
    let tags = cluster.get("/vm/db1/tags").await.body;
    assert_eq!(tags["tags"].as_array().unwrap().len(), 20);
}

async fn all(
    requests: impl Iterator<Item = impl Future<Output = crate::support::Answer>>,
) -> Vec<u16> {
    let mut pending: Vec<_> = requests.map(Box::pin).collect();
    let mut statuses = Vec::new();
    // Polled in turn, so that they interleave at every await.
    std::future::poll_fn(|context| {
        pending.retain_mut(|request| match request.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                statuses.push(answer.status.as_u16());
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    statuses
}

#[tokio::test]
async fn an_unconfirmed_change_is_an_error_with_a_request_id() {
    let cluster = Cluster::new().await;
    cluster.own.fail_commit(CommitFault::UnknownAndLost);
    let answer = cluster.post("/status", "state=true").await.is(503);
    assert_eq!(answer.body["code"], "unavailable");
    assert!(answer.body["request_id"].is_string());
    cluster.post("/status", "state=true").await.is(200);
}

#[tokio::test]
async fn a_node_is_flushed_and_returned() {
    let cluster = Cluster::new().await;
    let answer = cluster.post("/node/hv1/domain-state", "state=flush").await.is(200);
    assert_eq!(answer.message(), "Removing node hv1 from active service.");
    assert_eq!(cluster.read("/nodes/hv1/domainstate").await.unwrap(), "flush");
    let node = async {
        cluster.until("/nodes/hv1/domainstate", "unflush").await;
        cluster.write("/nodes/hv1/domainstate", "ready").await;
    };
    let waited = cluster.post("/node/hv1/domain-state", "state=ready&wait=yes");
    let (answer, ()) = tokio::join!(waited, node);
    assert_eq!(answer.is(200).message(), "Restored node hv1 to active service.");
    let answer = cluster.post("/node/hv3/domain-state", "state=flush&wait=1").await.is(200);
    assert_eq!(answer.message(), "Node hv3 is already flushed.");
    let answer = cluster.post("/node/hv9/domain-state", "state=flush").await.is(400);
    assert_eq!(answer.message(), "ERROR: No node named hv9 is present in the cluster.");
}

#[tokio::test]
async fn a_wait_that_is_too_long_says_that_it_goes_on() {
    let cluster = Cluster::hasty(std::time::Duration::from_millis(20)).await;
    let answer = cluster.post("/node/hv1/domain-state", "state=flush&wait=1").await.is(504);
    assert_eq!(answer.body["code"], "still-waiting");
    assert_eq!(cluster.read("/nodes/hv1/domainstate").await.unwrap(), "flush");
}

#[tokio::test]
async fn the_primary_is_named_or_the_place_opened() {
    let cluster = Cluster::new().await;
    let path = "/node/hv2/coordinator-state";
    let answer = cluster.post(path, "state=primary").await.is(200);
    assert_eq!(answer.message(), "Setting node hv2 in primary coordinator state.");
    assert_eq!(cluster.read("/config/primary_node").await.unwrap(), "hv2");
    let answer = cluster.post(path, "state=secondary").await.is(200);
    assert_eq!(answer.message(), "Setting node hv2 in secondary coordinator state.");
    assert_eq!(cluster.read("/config/primary_node").await.unwrap(), "none");
    let answer = cluster.post("/node/hv3/coordinator-state", "state=primary").await.is(400);
    let expected = "ERROR: Cannot change coordinator state on non-coordinator node hv3";
    assert_eq!(answer.message(), expected);
}

#[tokio::test]
async fn faults_are_acknowledged_and_deleted() {
    let cluster = Cluster::new().await;
    let answer = cluster.put("/faults/NODE_PLUGIN_DPKG_HV2", "").await.is(200);
    assert_eq!(answer.message(), "Successfully acknowledged fault(s) NODE_PLUGIN_DPKG_HV2");
    assert_eq!(cluster.get("/status").await.body["cluster_health"]["health"], 98, "its load lasts");
    let fault = cluster.get("/faults/NODE_PLUGIN_DPKG_HV2").await.body;
    assert_eq!(fault[0]["acknowledged_at"].as_str().unwrap().len(), 19);
    cluster.delete("/faults/NODE_PLUGIN_DPKG_HV2").await.is(200);
    assert_eq!(cluster.read("/faults/NODE_PLUGIN_DPKG_HV2").await, None);
    let answer = cluster.delete("/faults/NODE_PLUGIN_DPKG_HV2").await.is(404);
    assert_eq!(answer.message(), "No fault with ID NODE_PLUGIN_DPKG_HV2 found");
    cluster.put("/faults", "").await.is(200);
    cluster.delete("/faults").await.is(200);
    assert_eq!(cluster.get("/faults").await.body, Value::Array(vec![]));
}

#[tokio::test]
async fn a_backup_restores_what_was_there() {
    let cluster = Cluster::new().await;
    let backup = cluster.get("/backup").await.is(200).body;
    let text = backup.as_str().unwrap().to_owned();
    let content: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(content["/config"], "pvc1");
    assert_eq!(content["/"], "");
    assert!(!text.contains("hunter2"), "the BMC's password is nobody's business");
    let claim = format!("/domains/{}/claim", crate::support::WEB1);
    cluster.write(&claim, "hv2").await;
    cluster.post("/status", "state=true").await.is(200);
    cluster.delete("/faults").await.is(200);
    let form = format!("yes-i-really-mean-it=yes&cluster_data={}", encoded(&text));
    let answer = cluster.post("/restore", &form).await.is(200);
    assert_eq!(answer.message(), "Restore completed successfully.");
    assert_eq!(cluster.read("/config/maintenance").await.unwrap(), "false");
    assert_eq!(cluster.read("/faults/VM_FAILED_DB1/delta").await.unwrap(), "10");
    assert_eq!(cluster.read(&claim).await.unwrap(), "hv2", "a claim is a fact of now");
}

#[tokio::test]
async fn a_foreign_or_broken_backup_changes_nothing() {
    let cluster = Cluster::new().await;
    for (data, part) in [
        ("{", "Failed to parse JSON data"),
        (r#"{"/schema/version": "3", "/config": "x"}"#, "Schema version"),
        (r#"{"/config": "x"}"#, "Schema version"),
    ] {
        let form = format!("yes-i-really-mean-it=yes&cluster_data={}", encoded(data));
        let answer = cluster.post("/restore", &form).await.is(400);
        assert!(answer.message().contains(part), "{answer:?}");
    }
    cluster.post("/restore", "cluster_data={}").await.is(400);
    assert_eq!(cluster.read("/config").await.unwrap(), "pvc1");
}

#[tokio::test]
async fn a_cluster_is_initialized_once() {
    let cluster = Cluster::empty().await;
    cluster.post("/initialize", "").await.is(400);
    let confirmed = "yes-i-really-mean-it=yes";
    let answer = cluster.post("/initialize", confirmed).await.is(200);
    assert_eq!(answer.message(), "Successfully initialized cluster");
    let latest = pvc_common::zk::schema::LATEST.to_string();
    assert_eq!(cluster.read("/schema/version").await.unwrap(), latest);
    for path in ["/config/primary_node", "/nodes", "/domains", "/logs", "/faults", "/ceph/osds"] {
        assert_eq!(cluster.read(path).await.as_deref(), Some(""), "{path}");
    }
    let answer = cluster.post("/initialize", confirmed).await.is(400);
    assert_eq!(answer.message(), "ERROR: Cluster contains data and overwrite not set.");
    cluster.get("/status").await.is(200);
}

#[tokio::test]
async fn an_overwrite_spares_a_cluster_whose_vms_run() {
    let cluster = Cluster::new().await;
    let form = "yes-i-really-mean-it=yes&overwrite=True";
    cluster.post("/initialize", form).await.is(400);
    assert_eq!(cluster.read("/config").await.unwrap(), "pvc1");
    cluster.remove(&format!("/domains/{}/claim", crate::support::WEB1)).await;
    cluster.post("/initialize", form).await.is(200);
    assert_eq!(cluster.tree.children("/nodes").await.unwrap(), Some(vec![]));
    assert_eq!(cluster.get("/vm").await.is(404).message(), "VM not found.");
}

#[tokio::test]
async fn a_misspelt_argument_is_ignored_and_named() {
    let cluster = Cluster::new().await;
    let ignored = |answer: &Answer| {
        let header = answer.headers.get("x-ignored-arguments")?;
        Some(header.to_str().unwrap().to_owned())
    };
    let path = "/vm/web1/meta?limt=hv1&x,%0d%0ay=1";
    let answer = cluster.post(path, "selector=vcpus&autostrat=True").await.is(200);
    assert_eq!(ignored(&answer).as_deref(), Some("autostrat, limt, x???y"));
    let answer = cluster.post("/vm/web1/meta", "selector=mem").await.is(200);
    assert_eq!(ignored(&answer), None);
    // What a refusal says counts more.
    let answer = cluster.post("/vm/web1/meta", "selctor=mem").await.is(400);
    assert_eq!(ignored(&answer), None);
    let answer = cluster.get("/vm?limt=web1&state=start").await.is(200);
    assert_eq!(ignored(&answer).as_deref(), Some("limt"));
}
