//! The primary publishes what Ceph tells of itself.

use std::time::Duration;

use pvc_ceph::fake::Mood;
use pvc_ceph::{Pools, Volumes};
use pvc_common::unit::Bytes;
use pvc_common::zk::Op;
use pvc_zk::Tree;

use crate::bench::Bench;

/// The storage as it is in the tree before anybody has published anything.
async fn bench() -> Bench {
    let bench = Bench::with_ceph(3).await;
    let paths = [
        "/ceph",
        "/ceph/osds",
        "/ceph/osds/0",
        "/ceph/osds/7",
        "/ceph/pools",
        "/ceph/pools/vms",
        "/ceph/pools/gone",
    ];
    let ops = paths.map(|path| Op::Create { path: path.to_owned(), data: vec![] });
    bench.tree.commit(ops.into()).await.unwrap();
    let ceph = bench.ceph.as_ref().unwrap();
    ceph.create_volume(&"vms/a".parse().unwrap(), Bytes(1 << 30)).await.unwrap_err();
    ceph.create_image("vms/a".parse().unwrap());
    bench
}

async fn read(bench: &Bench, path: &str) -> String {
    let entry = bench.tree.get(path).await.unwrap();
    entry.map(|entry| String::from_utf8(entry.data).unwrap()).unwrap_or_default()
}

async fn published(bench: &Bench, path: &str, holds: impl Fn(&str) -> bool) {
    for _ in 0..60 {
        if holds(&read(bench, path).await) {
            return;
        }
        bench.pass(Duration::from_secs(1)).await;
    }
    panic!("{path} is {:?}", read(bench, path).await);
}

#[tokio::test(start_paused = true)]
async fn the_primary_publishes_what_ceph_tells() {
    let bench = bench().await;
    published(&bench, "/ceph", |text| text.starts_with("  cluster:\n")).await;
    published(&bench, "/ceph/util", |text| text.starts_with("--- RAW STORAGE")).await;
    published(&bench, "/ceph/health", |text| text.contains("HEALTH_OK")).await;
    published(&bench, "/ceph/osds/0/stats", |text| text.contains("\"up\":1")).await;
    published(&bench, "/ceph/pools/vms/stats", |text| text.contains("stored_bytes")).await;
    for unknown in ["/ceph/osds/7/stats", "/ceph/pools/gone/stats", "/ceph/pools/other"] {
        assert_eq!(read(&bench, unknown).await, "", "{unknown}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_primary_goes_on() {
    let mut bench = bench().await;
    published(&bench, "/ceph/osds/0/stats", |text| text.contains("\"up\":1")).await;
    let first = bench.floor.holder().unwrap();
    bench.stop(&first).await;
    let ceph = bench.ceph.clone().unwrap();
    ceph.create_pool(&ceph.pool(&"vms".parse().unwrap()).unwrap()).await.unwrap();
    ceph.create_image("vms/b".parse().unwrap());
    let both = format!("\"stored_bytes\":{}", 128 << 20);
    published(&bench, "/ceph/pools/vms/stats", |text| text.contains(&both)).await;
}

#[tokio::test(start_paused = true)]
async fn a_ceph_that_hangs_delays_no_keepalive_and_keeps_its_figures() {
    let bench = bench().await;
    published(&bench, "/ceph/osds/0/stats", |text| text.contains("\"up\":1")).await;
    let primary = bench.floor.holder().unwrap();
    bench.ceph.as_ref().unwrap().set_mood(Mood::Hangs);
    let keepalive = format!("/nodes/{primary}/keepalive");
    let written = async || bench.tree.get(&keepalive).await.unwrap().unwrap().version.0;
    let before = written().await;
    bench.pass(Duration::from_secs(12)).await;
    assert!(written().await >= before + 2, "every five seconds");
    assert!(read(&bench, "/ceph/osds/0/stats").await.contains("\"up\":1"));
}
