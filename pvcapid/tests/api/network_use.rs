//! Networks and what depends on them: VMs that are in them, names that they share, and other
//! processes that change them at the same time.

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
async fn a_vm_gets_no_card_that_nobody_knows() {
    let cluster = Cluster::new().await;
    cluster.post("/network/1001", LAB).await;
    let xml = definition(NEW, "new1", 512).replace("model type='virtio'", "model type='nosuch'");
    let said = "of model 'nosuch', which QEMU does not know; expected one such as virtio";
    refused(cluster.post("/vm", &form(&xml)).await, "no-such-model", said);
    let one =
        "<interface type='bridge'><source bridge='vmbr1001'/><model type='no;such'/></interface>";
    refused(cluster.post("/vm/web1/device", &form(one)).await, "no-such-model", "'no;such'");
    for model in ["virtio", "e1000e", "vmxnet3", "virtio-net-pci"] {
        let put =
            definition(WEB1, "web1", 2048).replace("type='virtio'", &format!("type='{model}'"));
        cluster.put("/vm/web1", &form(&put)).await.is(200);
    }
    // One that it had before keeps nothing else from being changed.
    let old = definition(WEB1, "web1", 2048).replace("type='virtio'", "type='nosuch'");
    cluster.write(&format!("/domains/{WEB1}/xml"), &old).await;
    cluster.put("/vm/web1", &form(&old.replace(">2048<", ">1024<"))).await.is(200);
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

/// Two APIs of one cluster are asked at once; what each made of it.
async fn both(cluster: &Cluster, other: &Cluster, one: (&str, &str), two: (&str, &str)) {
    let (a, b) = tokio::join!(cluster.post(one.0, one.1), other.post(two.0, two.1));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{one:?} {two:?}: {a:?} {b:?}");
}

#[tokio::test]
async fn two_processes_do_not_make_networks_that_collide() {
    let cluster = Cluster::new().await;
    let other = cluster.beside().await;
    let with = |name: &str, more: &str| format!("description={name}&nettype=managed&{more}");
    let (five, six) =
        (with("n5", "ip4_network=10.3.0.0/24"), with("n6", "ip4_network=10.3.0.0/16"));
    both(&cluster, &other, ("/network/5", &five), ("/network/6", &six)).await;
    both(&cluster, &other, ("/network/7", &with("n", "")), ("/network/8", &with("n", ""))).await;
}

#[tokio::test]
async fn two_processes_do_not_keep_one_name_twice_in_a_domain() {
    let cluster = Cluster::new().await;
    for (vni, third) in [(2000, 2), (7, 7)] {
        let form = format!(
            "description=n{vni}&nettype=managed&domain=lab.local&ip4_network=10.{third}.0.0/24"
        );
        cluster.post(&format!("/network/{vni}"), &form).await.is(200);
    }
    let other = cluster.beside().await;
    let lease = |third: u32| {
        format!("macaddress=52:54:00:00:00:0{third}&ipaddress=10.{third}.0.9&hostname=web1")
    };
    let (one, two) = (lease(2), lease(7));
    both(&cluster, &other, ("/network/2000/lease", &one), ("/network/7/lease", &two)).await;
}

#[tokio::test]
async fn a_domain_is_not_shared_while_names_in_it_would_collide() {
    let cluster = Cluster::new().await;
    cluster.post("/network/2000", LAB).await.is(200);
    let more = "description=n7&nettype=managed&ip4_network=10.7.0.0/24";
    cluster.post("/network/7", more).await.is(200);
    for (network, third, host) in [("lab", 2, "web1"), ("n7", 7, "WEB1")] {
        let form =
            format!("macaddress=52:54:00:00:00:0{third}&ipaddress=10.{third}.0.9&hostname={host}");
        cluster.post(&format!("/network/{network}/lease"), &form).await.is(200);
    }
    let said = "Hostname 'WEB1' is that of the reservation for 52:54:00:00:00:02 in network 'lab'";
    refused(cluster.put("/network/n7", "domain=LAB.local").await, "hostname-in-use", said);
    cluster.put("/network/n7", "domain=n7.example.org&mtu=1400").await.is(200);
    // What is so already keeps nothing else from being changed.
    cluster.write("/networks/7/domain", "lab.local").await;
    cluster.put("/network/n7", "domain=lab.local&mtu=1300").await.is(200);
}
