//! A guest sees how large its disks are.

use std::time::Duration;

use pvc_common::id::VolumeId;
use pvc_common::model::Json;
use pvc_common::state::VmState;
use pvc_common::unit::Bytes;
use pvc_common::zk::{Op, key};
use pvc_libvirt::Hypervisor;
use pvc_zk::Tree;
use serde_json::json;

use crate::bench::Bench;

fn volume() -> VolumeId {
    "vms/a".parse().unwrap()
}

async fn record(bench: &Bench, stats: serde_json::Value) {
    bench.put(&key::volume_stats(&volume()), &Json::of(&stats)).await;
}

/// How large the guest of VM 1 sees its disk.
async fn seen(bench: &Bench, node: &str) -> Option<Bytes> {
    let stats = bench.room.node(node).stats().await.unwrap();
    stats.first()?.disks.first()?.capacity
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_grows_grows_in_the_guest_that_runs_on_it() {
    let mut bench = Bench::with_ceph(2).await;
    let paths = ["/ceph", "/ceph/volumes", "/ceph/volumes/vms", "/ceph/volumes/vms/a"];
    let ops = paths.map(|path| Op::Create { path: path.to_owned(), data: vec![] });
    bench.tree.commit(ops.into()).await.unwrap();
    record(&bench, json!({ "id": "1", "size": 1 << 20 })).await;
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    assert_eq!(seen(&bench, "hv1").await, Some(Bytes(1 << 20)));

    record(&bench, json!({ "id": "1", "size": 5 << 20 })).await;
    bench.pass(Duration::from_secs(2)).await;
    assert_eq!(seen(&bench, "hv1").await, Some(Bytes(5 << 20)));

    // What is being made has no size yet, and nothing becomes smaller.
    for stats in [json!({ "size": 9 << 20 }), json!({ "id": "1", "size": 3 << 20 })] {
        record(&bench, stats).await;
        bench.pass(Duration::from_secs(120)).await;
        assert_eq!(seen(&bench, "hv1").await, Some(Bytes(5 << 20)));
    }

    // It grew while nobody was there to tell the guest.
    bench.kill("hv1");
    record(&bench, json!({ "id": "1", "size": 7 << 20 })).await;
    bench.pass(Duration::from_secs(2)).await;
    assert_eq!(seen(&bench, "hv1").await, Some(Bytes(5 << 20)));
    bench.boot("hv1").await;
    bench.pass(Duration::from_secs(20)).await;
    assert_eq!(seen(&bench, "hv1").await, Some(Bytes(7 << 20)));

    // Its libvirt did not answer.
    bench.room.hang("hv1");
    record(&bench, json!({ "id": "1", "size": 8 << 20 })).await;
    bench.pass(Duration::from_secs(30)).await;
    bench.room.recover("hv1");
    bench.pass(Duration::from_secs(90)).await;
    assert_eq!(seen(&bench, "hv1").await, Some(Bytes(8 << 20)));
}
