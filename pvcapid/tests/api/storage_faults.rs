//! Every request about the storage while Ceph is not as it should be: nothing is half done.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use pvc_ceph::fake::Mood;
use pvc_ceph::{Image, Osds, Pools, Volumes};
use pvc_common::observed::OsdMap;
use pvc_common::zk::key;
use pvc_zk::subtree::Branch;

use crate::support::{Answer, Cluster, TOKEN};

const POOL: &str = "pgs=8&replcfg=copies=1,mincopies=1";

/// Every request that has Ceph do something: method, path and arguments. Where there are two of an
/// endpoint, each does something else.
const REQUESTS: [(Method, &str, &str); 20] = [
    (Method::POST, "pool", "pool=new&pgs=8&replcfg=copies=1,mincopies=1"),
    (Method::POST, "pool/new", POOL),
    (Method::PUT, "pool/data", "pgs=16"),
    (Method::DELETE, "pool/data?yes-i-really-mean-it=yes", ""),
    (Method::POST, "volume", "pool=data&volume=new&size=1G"),
    (Method::POST, "volume/data/new", "size=1G"),
    (Method::PUT, "volume/data/a", "new_size=2G"),
    (Method::PUT, "volume/data/a", "new_name=new"),
    (Method::DELETE, "volume/data/a", ""),
    (Method::POST, "volume/data/a/scan", ""),
    (Method::POST, "volume/data/a/clone", "new_volume=new"),
    (Method::POST, "volume/data/a/upload?image_format=raw", "<file>"),
    (Method::POST, "snapshot", "pool=data&volume=a&snapshot=new"),
    (Method::POST, "snapshot/data/a/new", ""),
    (Method::PUT, "snapshot/data/a/s", "new_name=new"),
    (Method::DELETE, "snapshot/data/a/s", ""),
    (Method::POST, "snapshot/data/a/s/rollback", ""),
    (Method::POST, "option", "option=noout&action=set"),
    (Method::POST, "osd/0/state", "state=out"),
    (Method::POST, "osd/0/state", "state=in"),
];

/// A cluster with a pool `data`, that has a volume `a`, that has a snapshot `s`.
async fn cluster() -> Cluster {
    let cluster = Cluster::new().await;
    for (path, form) in [
        ("/storage/ceph/pool/data", POOL),
        ("/storage/ceph/volume/data/a", "size=1G"),
        ("/storage/ceph/snapshot/data/a/s", ""),
    ] {
        cluster.post(path, form).await.is(200);
    }
    cluster
}

async fn ask(cluster: &Cluster, (method, path, form): &(Method, &str, &str)) -> Answer {
    let file = "--B\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\ndisk\r\n--B--\r\n";
    let (kind, body) = match *form {
        "<file>" => ("multipart/form-data; boundary=B", file),
        form => ("application/x-www-form-urlencoded", form),
    };
    let request = Request::builder()
        .method(method.clone())
        .uri(format!("/api/v1/storage/ceph/{path}"))
        .header("X-Api-Key", TOKEN)
        .header(CONTENT_TYPE, kind)
        .header("content-length", body.len())
        .body(Body::from(body.to_owned()))
        .unwrap();
    cluster.send(request).await
}

/// What the tree and Ceph hold.
async fn state(cluster: &Cluster) -> (Vec<(String, Vec<u8>)>, OsdMap, Vec<String>, Vec<Image>) {
    let branch = Branch::read(&cluster.tree, key::CEPH).await.unwrap();
    let znodes = branch.znodes().iter().map(|(path, entry)| (path.clone(), entry.data.clone()));
    let pools = Pools::pools(&cluster.ceph).await.unwrap();
    let mut images = Vec::new();
    for pool in &pools {
        for volume in cluster.ceph.volumes(pool).await.unwrap() {
            let volume = format!("{pool}/{volume}").parse().unwrap();
            images.push(cluster.ceph.volume(&volume).await.unwrap());
            for snapshot in cluster.ceph.snapshots(&volume).await.unwrap() {
                let snapshot = format!("{volume}@{snapshot}").parse().unwrap();
                images.push(cluster.ceph.snapshot(&snapshot).await.unwrap());
            }
        }
    }
    let osds = cluster.ceph.osd_map().await.unwrap();
    (znodes.collect(), osds, pools.iter().map(ToString::to_string).collect(), images)
}

#[tokio::test(start_paused = true)]
async fn a_ceph_that_does_nothing_leaves_everything_as_it_was() {
    for request in &REQUESTS {
        let cluster = cluster().await;
        let before = state(&cluster).await;
        for (mood, status, says) in [
            (Mood::Hangs, 503, "The storage cluster does not answer"),
            (Mood::Absent, 503, "The storage cluster cannot be reached."),
            (Mood::Refuses, 400, "access denied"),
        ] {
            cluster.ceph.set_mood(mood);
            let answer = ask(&cluster, request).await.is(status);
            assert!(answer.message().contains(says), "{request:?} {mood:?}: {answer:?}");
            cluster.ceph.set_mood(Mood::Well);
            assert_eq!(state(&cluster).await, before, "{request:?} {mood:?}");
        }
        ask(&cluster, request).await.is(200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_ceph_did_not_answer_is_done_when_it_is_asked_again() {
    for request in &REQUESTS {
        for mood in [Mood::Deafens, Mood::TellsOnly] {
            let (cluster, other) = (cluster().await, cluster().await);
            cluster.ceph.set_mood(mood);
            let unsure = ask(&cluster, request).await;
            cluster.ceph.set_mood(Mood::Well);
            if unsure.status != 200 {
                assert_eq!(unsure.status, 503, "{request:?} {mood:?}: {unsure:?}");
                ask(&cluster, request).await.is(200);
            }
            ask(&other, request).await.is(200);
            assert_eq!(state(&cluster).await, state(&other).await, "{request:?} {mood:?}");
        }
    }
}
