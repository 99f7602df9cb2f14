//! Networks and what depends on them: VMs that are in them.

use crate::support::{Answer, Cluster, DB1, WEB1, definition, encoded};

const NEW: &str = "11111111-2222-4333-8444-555555555555";
const LAB: &str = "description=lab&nettype=managed&ip4_network=10.2.0.0/24&ip4_gateway=10.2.0.1";

fn form(xml: &str) -> String {
    format!("xml={}", encoded(xml))
}

#[track_caller]
fn refused(answer: Answer, code: &str, said: &str) {
    let answer = answer.is(400);
    assert_eq!(answer.body["code"], code, "{answer:?}");
    assert!(answer.message().contains(said), "{said}: {answer:?}");
}

#[tokio::test]
async fn a_vm_is_put_into_no_network_that_does_not_exist() {
    let cluster = Cluster::new().await;
    let xml = definition(NEW, "new1", 512).replace("vmbr1001", "vmbr2000");
    let said = "networks that do not exist: 2000. Add them first";
    refused(cluster.post("/vm", &form(&xml)).await, "no-such-network", said);
    cluster.post("/network/2000", LAB).await.is(200);
    cluster.post("/vm", &form(&xml)).await.is(200);
    // One that it lost keeps nothing else from being changed.
    cluster.delete("/network/2000?force=True").await.is(200);
    cluster.put("/vm/new1", &form(&xml.replace(">512<", ">1024<"))).await.is(200);
    let more = "<interface type='bridge'><source bridge='vmbr7'/></interface>";
    let put = form(&xml.replace("<console", &format!("{more}<console")));
    refused(cluster.put("/vm/new1", &put).await, "no-such-network", "do not exist: 7.");
    refused(cluster.post("/vm/web1/device", &form(more)).await, "no-such-network", "exist: 7.");
    // What is none of the cluster's networks is the host's own.
    for own in ["brcluster", "vmbr007", "virbr0"] {
        cluster.put("/vm/new1", &form(&xml.replace("vmbr2000", own))).await.is(200);
    }
}

#[tokio::test]
async fn a_network_that_a_running_vm_is_still_in_is_removed_only_by_force() {
    let cluster = Cluster::new().await;
    cluster.post("/network/2000", LAB).await.is(200);
    for (vm, uuid) in [("web1", WEB1), ("db1", DB1)] {
        let xml = definition(uuid, vm, 2048).replace("vmbr1001", "vmbr2000");
        cluster.put(&format!("/vm/{vm}"), &form(&xml)).await.is(200);
    }
    // It runs as it was defined when it started, says its node.
    let said = "used by VMs: web1 (until it is restarted).";
    refused(cluster.delete("/network/office").await, "in-use", said);
    cluster.remove(&format!("/domains/{WEB1}/claim")).await;
    cluster.write(&format!("/domains/{WEB1}/state"), "stop").await;
    cluster.delete("/network/office").await.is(200);
}
