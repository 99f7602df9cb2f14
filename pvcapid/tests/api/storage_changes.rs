//! Pools, volumes and snapshots are made, changed and removed, in Ceph and in the tree alike.

use pvc_ceph::fake::Mood;
use pvc_ceph::{Ceph, Lock, Osds, Volumes};
use pvc_common::id::{OsdId, VolumeId};
use pvc_common::state::OsdFlag;
use serde_json::Value;

use crate::support::{Cluster, WEB1};

const POOL: &str = "/storage/ceph/pool";
const VOLUME: &str = "/storage/ceph/volume";
const SNAPSHOT: &str = "/storage/ceph/snapshot";
const REPLICATION: &str = "replcfg=copies=1,mincopies=1";

/// A cluster with an empty pool `data`.
async fn cluster() -> Cluster {
    let cluster = Cluster::new().await;
    cluster.post(POOL, &format!("pool=data&pgs=8&{REPLICATION}&tier=default")).await.is(200);
    cluster
}

fn volume(name: &str) -> VolumeId {
    format!("data/{name}").parse().unwrap()
}

async fn stats(cluster: &Cluster, path: &str) -> Option<Value> {
    let text = cluster.read(&format!("/ceph/{path}/stats")).await?;
    Some(serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn a_pool_is_made_changed_and_removed_with_all_it_holds() {
    let cluster = Cluster::new().await;
    let made = cluster.post(POOL, &format!("pool=data&pgs=8&{REPLICATION}&tier=hdd")).await.is(200);
    assert_eq!(made.message(), "Created RBD pool 'data' with 8 PGs");
    assert_eq!(cluster.read("/ceph/pools/data/tier").await.as_deref(), Some("hdd"));
    let changed = cluster.put(&format!("{POOL}/data"), "pgs=16").await.is(200);
    assert_eq!(changed.message(), "Set PGs count to 16 for RBD pool 'data'.");
    assert_eq!(cluster.ceph.pool(&"data".parse().unwrap()).unwrap().pgs, 16);
    assert_eq!(cluster.get(&format!("{POOL}/data")).await.is(200).body[0]["pgs"], "16");
    cluster.post(VOLUME, "pool=data&volume=a&size=1G").await.is(200);
    cluster.post(&format!("{SNAPSHOT}/data/a/s"), "").await.is(200);
    cluster.delete(&format!("{POOL}/data")).await.is(400);
    let removed = cluster.delete(&format!("{POOL}/data?yes-i-really-mean-it=yes")).await.is(200);
    assert_eq!(removed.message(), "Removed RBD pool 'data' and all volumes.");
    for gone in ["pools/data", "volumes/data", "snapshots/data"] {
        assert_eq!(cluster.read(&format!("/ceph/{gone}")).await, None, "{gone}");
    }
    assert!(cluster.ceph.pool(&"data".parse().unwrap()).is_none());
}

#[tokio::test]
async fn a_pool_that_makes_no_sense_is_refused_and_nothing_is_made() {
    let cluster = Cluster::new().await;
    for (wrong, says) in [
        ("pool=data&pgs=7&replcfg=copies=1,mincopies=1", "power of two"),
        ("pool=data&pgs=8&replcfg=copies=1,mincopies=2", "copies=N,mincopies=M"),
        ("pool=data&pgs=8&replcfg=copies=1,mincopies=1&tier=tape", "not a valid choice"),
        ("pool=-data&pgs=8&replcfg=copies=1,mincopies=1", "not a valid name"),
        ("pool=a/b&pgs=8&replcfg=copies=1,mincopies=1", "not a valid name"),
        ("pool=data&pgs=8&replcfg=copies=1,mincopies=1&tier=nvme", "device class"),
        ("pool=foreign&pgs=8&replcfg=copies=1,mincopies=1", "of which PVC knows nothing"),
        ("pgs=8&replcfg=copies=1,mincopies=1", "Missing"),
    ] {
        cluster.ceph.create_image("foreign/a".parse().unwrap());
        let answer = cluster.post(POOL, wrong).await.is(400);
        assert!(answer.body.to_string().contains(says), "{wrong}: {answer:?}");
        assert_eq!(cluster.read("/ceph/pools/data").await, None, "{wrong}");
    }
}

#[tokio::test]
async fn a_volume_lives_from_its_making_to_its_removal() {
    let cluster = cluster().await;
    let made = cluster.post(VOLUME, "pool=data&volume=a&size=10G").await.is(200);
    assert_eq!(made.message(), "Created RBD volume 'a' of size '10G' in pool 'data'.");
    let id = stats(&cluster, "volumes/data/a").await.unwrap()["id"].clone();
    assert!(id.is_string(), "as Ceph tells it");
    let shown = cluster.get(&format!("{VOLUME}/data/a")).await.is(200);
    assert_eq!(shown.body[0]["stats"]["size"], "10G");
    let grown = cluster.put(&format!("{VOLUME}/data/a"), "new_size=20G").await.is(200);
    assert_eq!(grown.message(), "Resized RBD volume 'a' to size '20G' in pool 'data'.");
    cluster.post(&format!("{SNAPSHOT}/data/a/s"), "").await.is(200);
    let renamed = cluster.put(&format!("{VOLUME}/data/a"), "new_name=b").await.is(200);
    assert_eq!(renamed.message(), "Renamed RBD volume 'a' to 'b' in pool 'data'.");
    let now = stats(&cluster, "volumes/data/b").await.unwrap();
    assert_eq!(
        (&now["id"], &now["name"], &now["size"]),
        (&id, &"b".into(), &(20_u64 << 30).into())
    );
    assert_eq!(cluster.read("/ceph/volumes/data/a").await, None);
    cluster.get(&format!("{SNAPSHOT}/data/b/s")).await.is(200);
    let cloned = cluster.post(&format!("{VOLUME}/data/b/clone"), "new_volume=c").await.is(200);
    assert_eq!(cloned.message(), "Cloned RBD volume 'b' to 'c' in pool 'data'");
    assert_ne!(stats(&cluster, "volumes/data/c").await.unwrap()["id"], id);
    let removed = cluster.delete(&format!("{VOLUME}/data/b")).await.is(200);
    assert_eq!(removed.message(), "Removed RBD volume 'b' in pool 'data'.");
    for gone in ["volumes/data/b", "snapshots/data/b"] {
        assert_eq!(cluster.read(&format!("/ceph/{gone}")).await, None, "{gone}");
    }
    assert!(cluster.ceph.volume(&volume("b")).await.is_err());
    assert!(cluster.ceph.volume(&volume("c")).await.is_ok());
}

#[tokio::test]
async fn a_volume_that_makes_no_sense_is_refused_and_nothing_is_made() {
    let cluster = cluster().await;
    cluster
        .write(
            "/ceph/pools/data/stats",
            r#"{"id":7,"free_bytes":8589934592,"stored_bytes":2147483648}"#,
        )
        .await;
    cluster.post(VOLUME, "pool=data&volume=taken&size=1G").await.is(200);
    cluster.ceph.create_image(volume("foreign"));
    for (wrong, says) in [
        ("pool=none&volume=a&size=1G", "There is no pool 'none'"),
        ("pool=data&volume=taken&size=1G", "already"),
        ("pool=data&volume=foreign&size=1G", "of which PVC knows nothing"),
        ("pool=data&volume=a&size=1X", "valid SI unit"),
        ("pool=data&volume=a&size=ten", "not a size"),
        ("pool=data&volume=a&size=0", "more than 0"),
        ("pool=data&volume=a&size=99999999999E", "more than any storage holds"),
        ("pool=data&volume=a&size=8G&force=true", "has free"),
        ("pool=data&volume=a&size=6G", "use force"),
        ("pool=data&volume=a@b&size=1G", "not a valid name"),
        ("pool=data&size=1G", "Missing"),
    ] {
        let answer = cluster.post(VOLUME, wrong).await.is(400);
        assert!(answer.body.to_string().contains(says), "{wrong}: {answer:?}");
        for name in ["a", "foreign"] {
            assert_eq!(cluster.read(&format!("/ceph/volumes/data/{name}")).await, None, "{wrong}");
        }
    }
    cluster.post(VOLUME, "pool=data&volume=a&size=6G&force=true").await.is(200);
    let path = format!("{VOLUME}/data/a");
    for (wrong, says) in [
        ("new_size=1G", "is larger than that"),
        ("new_size=7G&new_name=b", "one modification"),
        ("", "At least one"),
        ("new_name=taken", "already"),
        ("new_name=foreign", "of which PVC knows nothing"),
    ] {
        let answer = cluster.put(&path, wrong).await.is(400);
        assert!(answer.body.to_string().contains(says), "{wrong}: {answer:?}");
    }
    for (method, path) in [("put", "none"), ("delete", "none"), ("clone", "none/clone")] {
        let path = format!("{VOLUME}/data/{path}");
        let answer = match method {
            "put" => cluster.put(&path, "new_name=b").await,
            "delete" => cluster.delete(&path).await,
            _ => cluster.post(&path, "new_volume=b").await,
        };
        let message = "ERROR: There is no volume 'none' in pool 'data'.";
        assert_eq!(answer.is(400).message(), message, "{method}");
    }
    assert_eq!(cluster.ceph.volume(&volume("a")).await.unwrap().size.0, 6 << 30);
}

#[tokio::test]
async fn a_pool_that_came_to_no_end_is_made_to_the_end_though_ceph_tells_of_it() {
    let cluster = Cluster::new().await;
    let wanted = format!("pool=data&pgs=8&{REPLICATION}&tier=hdd");
    cluster.ceph.set_mood(Mood::TellsOnly);
    cluster.post(POOL, &wanted).await.is(503);
    cluster.ceph.set_mood(Mood::Well);
    cluster.write("/ceph/pools/data/stats", r#"{"id":7}"#).await;
    cluster.post(POOL, &wanted).await.is(200);
    assert_eq!(cluster.read("/ceph/pools/data/tier").await.as_deref(), Some("hdd"));
    cluster.post(POOL, &wanted).await.is(400);
}

/// What was asked is done, but nobody says so: the request is asked again.
#[tokio::test]
async fn a_request_that_came_to_no_end_goes_on_when_it_is_asked_again() {
    let cluster = cluster().await;
    cluster.ceph.set_mood(Mood::TellsOnly);
    let unsure = cluster.post(VOLUME, "pool=data&volume=a&size=1G").await.is(503);
    assert!(unsure.message().contains("may still be done"), "{unsure:?}");
    assert!(stats(&cluster, "volumes/data/a").await.unwrap().get("id").is_none());
    cluster.ceph.set_mood(Mood::Well);
    let unfinished = cluster.put(&format!("{VOLUME}/data/a"), "new_name=b").await.is(400);
    assert!(unfinished.message().contains("was not made to the end"), "{unfinished:?}");
    let smaller = cluster.post(VOLUME, "pool=data&volume=a&size=512M").await.is(400);
    assert_eq!(smaller.message(), "ERROR: data/a is larger than that.");
    cluster.post(VOLUME, "pool=data&volume=a&size=2G").await.is(200);
    let now = stats(&cluster, "volumes/data/a").await.unwrap();
    assert!(now["id"].is_string() && now["size"] == 2_u64 << 30, "{now}");

    cluster.ceph.set_mood(Mood::TellsOnly);
    cluster.put(&format!("{VOLUME}/data/a"), "new_name=b").await.is(503);
    cluster.ceph.set_mood(Mood::Well);
    cluster.put(&format!("{VOLUME}/data/a"), "new_name=b").await.is(200);

    cluster.ceph.set_mood(Mood::TellsOnly);
    cluster.post(&format!("{SNAPSHOT}/data/b/s"), "").await.is(503);
    cluster.ceph.set_mood(Mood::Well);
    cluster.post(&format!("{SNAPSHOT}/data/b/s"), "").await.is(200);

    cluster.ceph.set_mood(Mood::TellsOnly);
    cluster.delete(&format!("{VOLUME}/data/b")).await.is(503);
    cluster.ceph.set_mood(Mood::Well);
    cluster.delete(&format!("{VOLUME}/data/b")).await.is(200);
    assert_eq!(cluster.read("/ceph/volumes/data/b").await, None);
}

#[tokio::test]
async fn without_ceph_nothing_is_changed_and_the_reason_is_told() {
    let cluster = cluster().await;
    cluster.post(VOLUME, "pool=data&volume=a&size=1G").await.is(200);
    for mood in [Mood::Hangs, Mood::Absent, Mood::Refuses] {
        cluster.ceph.set_mood(mood);
        let status = if mood == Mood::Refuses { 400 } else { 503 };
        cluster.post(VOLUME, "pool=data&volume=b&size=1G").await.is(status);
        assert_eq!(cluster.read("/ceph/volumes/data/b").await, None, "{mood:?}");
        cluster.delete(&format!("{VOLUME}/data/a")).await.is(status);
        assert!(cluster.read("/ceph/volumes/data/a").await.is_some(), "{mood:?}");
        cluster.delete(&format!("{POOL}/data?yes-i-really-mean-it=yes")).await.is(status);
        assert!(cluster.read("/ceph/pools/data").await.is_some(), "{mood:?}");
    }
}

#[tokio::test]
async fn what_is_in_use_stays() {
    let cluster = cluster().await;
    cluster.post(VOLUME, "pool=data&volume=a&size=1G").await.is(200);
    cluster.post(&format!("{SNAPSHOT}/data/a/s"), "").await.is(200);
    let address = "10.0.0.1:0/7".parse().unwrap();
    let lock = Lock { id: "auto 1".to_owned(), locker: "client.7".to_owned(), address };
    assert!(cluster.ceph.lock(volume("a"), lock.clone()));
    for answer in [
        cluster.delete(&format!("{VOLUME}/data/a")).await,
        cluster.post(&format!("{SNAPSHOT}/data/a/s/rollback"), "").await,
    ] {
        assert_eq!(answer.is(400).message(), "ERROR: data/a is in use.");
    }
    cluster.ceph.remove_lock(&volume("a"), &lock).await.unwrap();
    cluster.delete(&format!("{VOLUME}/data/a")).await.is(200);
    cluster.write(&format!("/domains/{WEB1}/rbdlist"), "vms/web1_sda").await;
    let pool = format!("{POOL}/vms?yes-i-really-mean-it=yes");
    let running = cluster.delete(&pool).await.is(400);
    assert_eq!(running.message(), "ERROR: VM 'web1' runs on pool 'vms'; stop it first.");
}

#[tokio::test]
async fn a_snapshot_lives_from_its_making_to_its_removal() {
    let cluster = cluster().await;
    cluster.post(VOLUME, "pool=data&volume=a&size=1G").await.is(200);
    let taken = cluster.post(SNAPSHOT, "pool=data&volume=a&snapshot=s").await.is(200);
    assert_eq!(taken.message(), "Created RBD snapshot 's' of volume 'a' in pool 'data'.");
    assert_eq!(stats(&cluster, "volumes/data/a").await.unwrap()["snapshot_count"], 1);
    let twice = cluster.post(&format!("{SNAPSHOT}/data/a/s"), "").await.is(400);
    assert_eq!(twice.message(), "ERROR: There is a snapshot 's' of volume 'data/a' already.");
    let renamed = cluster.put(&format!("{SNAPSHOT}/data/a/s"), "new_name=t").await.is(200);
    let message = "Renamed RBD snapshot 's' to 't' for volume 'a' in pool 'data'.";
    assert_eq!(renamed.message(), message);
    cluster.put(&format!("{VOLUME}/data/a"), "new_size=2G").await.is(200);
    let back = cluster.post(&format!("{SNAPSHOT}/data/a/t/rollback"), "").await.is(200);
    assert_eq!(back.message(), "Rolled back RBD volume 'a' in pool 'data' to snapshot 't'.");
    assert_eq!(stats(&cluster, "volumes/data/a").await.unwrap()["size"], 1 << 30);
    let removed = cluster.delete(&format!("{SNAPSHOT}/data/a/t")).await.is(200);
    assert_eq!(removed.message(), "Removed RBD snapshot 't' of volume 'a' in pool 'data'.");
    assert_eq!(stats(&cluster, "volumes/data/a").await.unwrap()["snapshot_count"], 0);
    for answer in [
        cluster.delete(&format!("{SNAPSHOT}/data/a/t")).await,
        cluster.put(&format!("{SNAPSHOT}/data/a/t"), "new_name=u").await,
        cluster.post(&format!("{SNAPSHOT}/data/a/t/rollback"), "").await,
    ] {
        let message = "ERROR: There is no snapshot 't' of volume 'data/a'.";
        assert_eq!(answer.is(400).message(), message);
    }
}

#[tokio::test]
async fn what_was_changed_behind_pvcs_back_is_read_again() {
    let cluster = cluster().await;
    cluster.post(VOLUME, "pool=data&volume=a&size=1G").await.is(200);
    cluster.ceph.grow_volume(&volume("a"), pvc_common::unit::Bytes(3 << 30)).await.unwrap();
    let scanned = cluster.post(&format!("{VOLUME}/data/a/scan"), "").await.is(200);
    assert_eq!(scanned.message(), "Scanned RBD volume 'a' in pool 'data'.");
    assert_eq!(stats(&cluster, "volumes/data/a").await.unwrap()["size"], 3_u64 << 30);
}

#[tokio::test]
async fn properties_of_all_osds_are_set_and_taken_away() {
    let (cluster, path) = (Cluster::new().await, "/storage/ceph/option");
    for (action, says, is_set) in [("set", "Set", true), ("unset", "Unset", false)] {
        for _ in 0..2 {
            let done = cluster.post(path, &format!("option=noout&action={action}")).await.is(200);
            assert_eq!(done.message(), format!("{says} OSD property 'noout'."));
            let flags = cluster.ceph.osd_map().await.unwrap().flags;
            assert_eq!(flags.contains(&OsdFlag::NoOut), is_set);
        }
    }
    for (wrong, says) in [
        ("option=noout", "Missing"),
        ("action=set", "Missing"),
        ("option=noout&action=toggle", "expected set, unset"),
        ("option=sleep&action=set", "noout"),
    ] {
        let answer = cluster.post(path, wrong).await.is(400);
        assert!(answer.body["message"].to_string().contains(says), "{wrong}: {answer:?}");
    }
}

#[tokio::test]
async fn data_is_moved_away_from_an_osd_and_back() {
    let cluster = Cluster::new().await;
    for (state, says, is_in) in [("out", "offline", false), ("in", "online", true)] {
        for _ in 0..2 {
            let path = "/storage/ceph/osd/0/state";
            let done = cluster.post(path, &format!("state={state}")).await.is(200);
            assert_eq!(done.message(), format!("Set OSD 0 {says}."));
            assert_eq!(cluster.ceph.osd_map().await.unwrap().osds[&OsdId(0)].is_in, is_in);
        }
    }
    for (osd, wrong, says) in [
        ("0", "", "Missing"),
        ("0", "state=up", "expected in, out"),
        ("9", "state=in", "There is no OSD '9'"),
        ("x", "state=in", "There is no OSD 'x'"),
        // The tree knows it, Ceph does not.
        ("1", "state=in", "ERROR: In the storage cluster"),
    ] {
        let answer = cluster.post(&format!("/storage/ceph/osd/{osd}/state"), wrong).await.is(400);
        assert!(answer.body["message"].to_string().contains(says), "{osd} {wrong}: {answer:?}");
    }
}
