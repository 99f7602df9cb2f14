//! What requests change of VMs.

use pvc_zk::Tree;
use serde_json::json;

use pvc_ceph::{Ceph, Lock, Volumes};
use pvc_common::id::VolumeId;

use crate::support::{Cluster, DB1, WEB1, definition, encoded, mac};

const NEW: &str = "11111111-2222-4333-8444-555555555555";

fn form(xml: &str, more: &str) -> String {
    format!("xml={}&{more}", encoded(xml))
}

#[tokio::test]
async fn a_vm_is_defined_and_seen_at_once() {
    let cluster = Cluster::new().await;
    let more = "limit=hv1,hv2&selector=vcpus&autostart=True&migration_method=live\
                &migration_max_downtime=500&user_tags=a&user_tags=b&protected_tags=c";
    let answer = cluster.post("/vm", &form(&definition(NEW, "new1", 512), more)).await.is(200);
    let message = format!("Added new VM with Name 'new1' and UUID '{NEW}' to database.");
    assert_eq!(answer.message(), message);
    let vm = cluster.get("/vm/new1").await.is(200).body[0].clone();
    for (key, value) in [
        ("state", json!("stop")),
        ("node", json!("hv1")),
        ("node_limit", json!(["hv1", "hv2"])),
        ("node_selector", json!("vcpus")),
        ("node_autostart", json!(true)),
        ("migration_method", json!("live")),
        ("migration_max_downtime", json!(500)),
        ("memory", json!(512)),
    ] {
        assert_eq!(vm[key], value, "{key}");
    }
    let tags: Vec<_> = vm["tags"].as_array().unwrap().iter().map(|tag| &tag["protected"]).collect();
    assert_eq!(tags, [false, false, true]);
}

#[tokio::test]
async fn a_bad_definition_changes_nothing() {
    let cluster = Cluster::new().await;
    let good = definition(NEW, "new1", 512);
    for (xml, more, part) in [
        ("this is not XML".to_owned(), "", "not well-formed XML"),
        ("<network/>".to_owned(), "", "expected <domain>"),
        (good.replace(NEW, "none"), "", "<uuid>"),
        (definition(WEB1, "new1", 512), "", "already exists"),
        (definition(NEW, "web1", 512), "", "already exists"),
        (good.replace(">512<", ">64000<"), "node=hv1", "more memory"),
        (good.replace(">2</vcpu>", ">17</vcpu>"), "node=hv1", "more vCPUs"),
        (good.clone(), "node=hv9", "is invalid"),
        (good.clone(), "limit=hv9", "is invalid"),
        (good.replace(">512<", ">60000<"), "", "none could be chosen"),
    ] {
        let answer = cluster.post("/vm", &form(&xml, more)).await.is(400);
        assert!(answer.message().contains(part), "{part}: {answer:?}");
    }
    for more in ["selector=best", "migration_method=magic", "migration_max_downtime=long"] {
        cluster.post("/vm", &form(&good, more)).await.is(400);
    }
    cluster.post("/vm", "").await.is(400);
    assert_eq!(cluster.get("/vm").await.body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_definitions_of_one_name_at_once_make_one_vm() {
    let cluster = Cluster::new().await;
    let other = NEW.replace('1', "9");
    let (first, second) =
        (form(&definition(NEW, "new1", 512), ""), form(&definition(&other, "new1", 512), ""));
    let (a, b) = tokio::join!(cluster.post("/vm", &first), cluster.post("/vm", &second));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn a_definition_is_replaced() {
    let cluster = Cluster::new().await;
    let new = definition(WEB1, "web1", 4096);
    let answer = cluster.put("/vm/web1", &form(&new, "restart=True")).await.is(200);
    assert_eq!(answer.message(), "Successfully modified configuration of VM 'web1'.");
    let vm = cluster.get("/vm/web1").await.body[0].clone();
    assert_eq!((&vm["memory"], &vm["state"]), (&json!(4096), &json!("restart")));
    cluster.put("/vm/web1", &form(&definition(DB1, "web1", 1), "")).await.is(400);
    cluster.put("/vm/web9", &form(&new, "")).await.is(400);
}

#[tokio::test]
async fn of_two_changes_of_one_definition_one_is_refused_and_none_is_lost() {
    let cluster = Cluster::new().await;
    let old = cluster.get("/vm/web1").await.body[0]["xml"].as_str().unwrap().to_owned();
    let change = |new: String| {
        let more = format!("old_xml={}", encoded(&old));
        let cluster = &cluster;
        async move { cluster.put("/vm/web1", &form(&new, &more)).await }
    };
    let (memory, vcpus) = (old.replace(">2048<", ">4096<"), old.replace(">2</vcpu>", ">3</vcpu>"));
    let (a, b) = tokio::join!(change(memory.clone()), change(vcpus.clone()));
    let (won, lost) = if a.status == 200 { (memory, b) } else { (vcpus, a) };
    assert_eq!(lost.is(409).body["code"], "definition-changed");
    assert_eq!(cluster.get("/vm/web1").await.body[0]["xml"], won);
    // Quotes are shown as upstream's clients know them; it is the same definition all the same.
    cluster.write(&format!("/domains/{WEB1}/xml"), &old.replace('\'', "\"")).await;
    change(old.replace(">2048<", ">1024<")).await.is(200);
}

#[tokio::test]
async fn a_hardware_address_is_one_vms_in_its_network() {
    let cluster = Cluster::new().await;
    for vni in [7, 8] {
        let form = format!("description=n{vni}&nettype=managed");
        cluster.post(&format!("/network/{vni}"), &form).await.is(200);
    }
    let taken = definition(NEW, "new1", 512).replace(&mac(NEW), &mac(WEB1).to_uppercase());
    let elsewhere = taken.replace("vmbr1001", "vmbr7");
    let refused = |answer: crate::support::Answer, said: &str| {
        let answer = answer.is(400);
        assert_eq!(answer.body["code"], "mac-in-use", "{answer:?}");
        assert!(answer.message().contains(said), "{said}: {answer:?}");
    };
    refused(cluster.post("/vm", &form(&taken, "")).await, "in network '1001' already: VM web1's");
    cluster.post("/vm", &form(&elsewhere, "")).await.is(200);
    refused(cluster.put("/vm/new1", &form(&taken, "")).await, "VM web1's");
    let twice = |xml: &str| {
        let more = format!(
            "<interface type='bridge'><mac address='{}'/><source bridge='vmbr8'/></interface>",
            mac(WEB1)
        );
        xml.replace("<console", &format!("{more}<console"))
    };
    refused(cluster.put("/vm/new1", &form(&twice(&elsewhere), "")).await, "more than once");
    // What is wrong already keeps nothing else from being changed.
    for old in [taken.clone(), twice(&taken)] {
        cluster.write(&format!("/domains/{NEW}/xml"), &old).await;
        cluster.put("/vm/new1", &form(&old.replace(">512<", ">1024<"), "")).await.is(200);
    }
}

#[tokio::test]
async fn two_that_want_the_same_hardware_address_at_once_do_not_both_get_it() {
    let cluster = Cluster::new().await;
    let change = |vm: &'static str, uuid: &'static str| {
        let xml = definition(uuid, vm, 2048).replace(&mac(uuid), "52:54:00:aa:bb:cc");
        let cluster = &cluster;
        async move { cluster.put(&format!("/vm/{vm}"), &form(&xml, "")).await }
    };
    let (a, b) = tokio::join!(change("web1", WEB1), change("db1", DB1));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn metadata_and_tags_are_changed() {
    let cluster = Cluster::new().await;
    let meta =
        "limit=hv1&limit=hv2&selector=none&autostart=yes&profile=web&migration_method=shutdown";
    let answer = cluster.post("/vm/db1/meta", meta).await.is(200);
    assert_eq!(answer.message(), "Successfully modified PVC metadata of VM 'db1'.");
    let vm = cluster.get("/vm/db1").await.body[0].clone();
    assert_eq!((&vm["node_limit"], &vm["profile"]), (&json!(["hv1", "hv2"]), &json!("web")));
    let answer = cluster.post("/vm/db1/meta", "").await.is(400);
    assert_eq!(answer.message(), "ERROR: No updates to apply.");
    let answer = cluster.post("/vm/db1/tags", "action=add&tag=x").await.is(200);
    assert_eq!(answer.message(), "Successfully added tag 'x' to VM 'db1'.");
    cluster.post("/vm/db1/tags", "action=add&tag=x").await.is(400);
    cluster.post("/vm/db1/tags", "action=remove&tag=x").await.is(200);
    assert_eq!(cluster.get("/vm/db1/tags").await.body["tags"], json!([]));
    let answer = cluster.post("/vm/web1/tags", "action=remove&tag=backup").await.is(400);
    assert_eq!(answer.message(), "The tag 'backup' is protected and cannot be removed.");
    cluster.post("/vm/db1/tags", "action=add&tag=a%2Fb").await.is(400);
    cluster.post("/vm/db1/tags", "action=paint&tag=a").await.is(400);
}

#[tokio::test]
async fn a_vm_is_started_and_shut_down() {
    let cluster = Cluster::new().await;
    let answer = cluster.post("/vm/db1/state", "state=start").await.is(200);
    assert_eq!(answer.message(), "Starting VM 'db1'.");
    assert_eq!(cluster.get("/vm/db1/state").await.body["state"], "start");
    let answer = cluster.post("/vm/web1/state?state=shutdown", "").await.is(200);
    assert_eq!(answer.message(), "Shutting down VM 'web1'");
    let answer = cluster.post("/vm/web1/state", "state=restart").await.is(400);
    assert_eq!(answer.message(), "ERROR: VM 'web1' is not in 'start' state!");
    cluster.post("/vm/web1/state", "state=sleep").await.is(400);
    let answer = cluster.post("/vm/web9/state", "state=start").await.is(400);
    assert_eq!(answer.message(), "ERROR: Could not find VM 'web9' in the cluster!");
}

#[tokio::test]
async fn a_wait_ends_when_the_node_has_done_it() {
    let cluster = Cluster::new().await;
    let (state, claim) = (format!("/domains/{WEB1}/state"), format!("/domains/{WEB1}/claim"));
    let node = async {
        cluster.until(&state, "shutdown").await;
        cluster.write(&state, "stop").await;
        cluster.remove(&claim).await;
    };
    let waited = cluster.post("/vm/web1/state", "state=shutdown&wait=true");
    let (answer, ()) = tokio::join!(waited, node);
    assert_eq!(answer.is(200).message(), "Shut down VM 'web1'");
}

#[tokio::test]
async fn a_vm_that_fails_ends_the_wait_with_its_reason() {
    let cluster = Cluster::new().await;
    let state = format!("/domains/{DB1}/state");
    let node = async {
        cluster.until(&state, "start").await;
        cluster.write(&format!("/domains/{DB1}/failedreason"), "no such image").await;
        cluster.write(&state, "fail").await;
    };
    let waited = cluster.post("/vm/db1/state", "state=start&wait=true");
    let (answer, ()) = tokio::join!(waited, node);
    assert_eq!(answer.is(400).message(), "ERROR: VM 'db1' failed: no such image");
}

#[tokio::test]
async fn a_forced_disable_cuts_the_vm_off_first() {
    let cluster = Cluster::new().await;
    let (state, claim) = (format!("/domains/{WEB1}/state"), format!("/domains/{WEB1}/claim"));
    let node = async {
        cluster.until(&state, "stop").await;
        cluster.remove(&claim).await;
    };
    let disabled = cluster.post("/vm/web1/state", "state=disable&force=yes");
    let (answer, ()) = tokio::join!(disabled, node);
    assert_eq!(answer.is(200).message(), "Disabled VM 'web1'.");
    assert_eq!(cluster.read(&state).await.unwrap(), "disable");
}

#[tokio::test]
async fn a_vm_is_migrated_and_comes_home() {
    let cluster = Cluster::new().await;
    let path = |suffix: &str| format!("/domains/{WEB1}{suffix}");
    let arrive = async |node: &str| {
        cluster.until(&path("/node"), node).await;
        assert_eq!(cluster.read(&path("/state")).await.unwrap(), "migrate");
        cluster.write(&path("/claim"), node).await;
        cluster.write(&path("/state"), "start").await;
    };
    let migrated = cluster.post("/vm/web1/node", "action=migrate&wait=true");
    let (answer, ()) = tokio::join!(migrated, arrive("hv2"));
    assert_eq!(answer.is(200).message(), "Migrated VM 'web1' to node 'hv2'.");
    assert_eq!(cluster.read(&path("/migrate_origin")).await.unwrap(), "hv1 -");
    let vm = cluster.get("/vm/web1").await.body[0].clone();
    assert_eq!((&vm["last_node"], &vm["migrated"]), (&json!("hv1"), &json!("from hv1")));
    let home = cluster.post("/vm/web1/node", "action=unmigrate&wait=true");
    let (answer, ()) = tokio::join!(home, arrive("hv1"));
    assert_eq!(answer.is(200).message(), "Unmigrated VM 'web1' back to node 'hv1'.");
    assert_eq!(cluster.get("/vm/web1/node").await.body["last_node"], "");
    for (form, part) in [
        ("action=unmigrate", "not been previously migrated"),
        ("action=migrate&node=hv1", "already running"),
        ("action=migrate&node=hv3", "not in the allowed list"),
        ("action=migrate&node=no%20host", "is invalid"),
    ] {
        let answer = cluster.post("/vm/web1/node", form).await.is(400);
        assert!(answer.message().contains(part), "{answer:?}");
    }
    cluster.post("/vm/web1/node", "action=teleport").await.is(400);
}

#[tokio::test]
async fn a_migration_that_is_given_up_is_told_with_its_reason() {
    let cluster = Cluster::new().await;
    let path = |suffix: &str| format!("/domains/{WEB1}{suffix}");
    let node = async {
        cluster.until(&path("/state"), "migrate-live").await;
        cluster.write(&path("/failedreason"), "the link is slow").await;
        cluster.write(&path("/node"), "hv1").await;
        cluster.write(&path("/state"), "start").await;
    };
    let moved = cluster.post("/vm/web1/node", "action=move&node=hv2&force_live=true&wait=true");
    let (answer, ()) = tokio::join!(moved, node);
    let expected = "ERROR: VM 'web1' did not move: the link is slow";
    assert_eq!(answer.is(400).message(), expected);
}

#[tokio::test]
async fn a_stopped_vm_is_renamed_with_its_definition() {
    let cluster = Cluster::new().await;
    let answer = cluster.post("/vm/db1/rename", "new_name=db2").await.is(200);
    assert_eq!(answer.message(), "Successfully renamed VM 'db1' to 'db2'.");
    let vm = cluster.get("/vm/db2").await.is(200).body[0].clone();
    assert!(vm["xml"].as_str().unwrap().contains("<name>db2</name>"));
    cluster.get("/vm/db1").await.is(404);
    for form in ["", "new_name=", "new_name=a%2Fb", "new_name=web1"] {
        cluster.post("/vm/db2/rename", form).await.is(400);
    }
    cluster.post("/vm/web1/rename", "new_name=web2").await.is(400);
}

#[tokio::test]
async fn a_stopped_vm_is_removed_without_a_trace() {
    let cluster = Cluster::new().await;
    let answer = cluster.delete("/vm/db1").await.is(200);
    assert_eq!(answer.message(), "Undefined VM 'db1' from the cluster.");
    assert_eq!(cluster.tree.get(&format!("/domains/{DB1}")).await.unwrap(), None);
    cluster.get("/vm/db1").await.is(404);
    cluster.delete("/vm/db1").await.is(400);
}

#[tokio::test]
async fn a_running_vm_is_forgotten_only_when_its_node_has_let_go_of_it() {
    let cluster = Cluster::new().await;
    let (state, claim) = (format!("/domains/{WEB1}/state"), format!("/domains/{WEB1}/claim"));
    let node = async {
        cluster.until(&state, "delete").await;
        assert!(cluster.read(&claim).await.is_some());
        cluster.remove(&claim).await;
    };
    let (answer, ()) = tokio::join!(cluster.delete("/vm/web1?delete_disks=true"), node);
    assert_eq!(answer.is(200).message(), "Removed VM 'web1' and its disks from the cluster.");
    let hasty = Cluster::hasty(std::time::Duration::from_millis(20)).await;
    hasty.delete("/vm/web1").await.is(504);
    assert!(hasty.read(&claim).await.is_some());
}

#[tokio::test]
async fn a_vms_volumes_go_before_it_and_keep_it_while_they_are_in_use() {
    let cluster = Cluster::new().await;
    cluster.ceph.create_image("vms/other".parse().unwrap());
    cluster.write("/ceph/volumes/vms", "").await;
    cluster.write("/ceph/snapshots/vms", "").await;
    cluster.post("/storage/ceph/volume", "pool=vms&volume=db1_sda&size=1G").await.is(200);
    let volumes = "vms/db1_sda,vms/unknown";
    cluster.write(&format!("/domains/{DB1}/rbdlist"), volumes).await;
    let volume: VolumeId = "vms/db1_sda".parse().unwrap();
    let address = "10.0.0.1:0/7".parse().unwrap();
    let lock = Lock { id: "auto 1".to_owned(), locker: "client.7".to_owned(), address };
    assert!(cluster.ceph.lock(volume.clone(), lock.clone()));
    let answer = cluster.delete("/vm/db1?delete_disks=yes").await.is(400);
    assert_eq!(answer.message(), "ERROR: vms/db1_sda is in use.");
    cluster.get("/vm/db1").await.is(200);
    cluster.ceph.remove_lock(&volume, &lock).await.unwrap();
    let answer = cluster.delete("/vm/db1?delete_disks=yes").await.is(200);
    assert_eq!(answer.message(), "Removed VM 'db1' and its disks from the cluster.");
    cluster.get("/vm/db1").await.is(404);
    cluster.get("/storage/ceph/volume/vms/db1_sda").await.is(404);
    assert!(cluster.ceph.volume(&volume).await.is_err());
}
