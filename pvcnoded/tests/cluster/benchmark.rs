//! The benchmark of a pool, which is the primary's task.

use pvc_ceph::fake::Mood;
use pvc_ceph::{Pools, Volumes};
use pvc_common::id::TaskId;
use pvc_common::model::{RunOn, TaskOrder, TaskProgress, Work};
use pvc_common::state::TaskPhase;
use pvc_common::zk::{Op, key};
use pvc_zk::Tree;
use serde_json::Value;

use crate::bench::Bench;

fn id(n: usize) -> TaskId {
    format!("{n:08x}").parse().unwrap()
}

async fn bench() -> Bench {
    let bench = Bench::with_ceph(3).await;
    let paths = ["/ceph", "/ceph/benchmarks", "/ceph/volumes", "/ceph/volumes/vms"];
    let ops = paths.map(|path| Op::Create { path: path.to_owned(), data: vec![] });
    bench.tree.commit(ops.into()).await.unwrap();
    bench.ceph.as_ref().unwrap().create_image("vms/a".parse().unwrap());
    bench.until("somebody is primary", |_| bench.floor.holder().is_some()).await;
    bench
}

async fn order(bench: &Bench, n: usize, name: &str) {
    let work =
        Work::Benchmark { pool: "vms".parse().unwrap(), name: name.parse().unwrap(), seconds: 20 };
    let order = TaskOrder { work, run_on: RunOn::Primary, ordered_ms: n as u64 };
    bench.tree.commit(vec![key::task(&id(n)).create(&order)]).await.unwrap();
}

async fn ended(bench: &Bench, n: usize) -> TaskProgress {
    bench.until("the task is over", |view| view.tasks[&id(n)].is_over()).await;
    bench.view().await.tasks[&id(n)].progress.get().unwrap().clone()
}

async fn record(bench: &Bench, name: &str) -> Option<Value> {
    let entry = bench.tree.get(&format!("/ceph/benchmarks/{name}")).await.unwrap()?;
    Some(serde_json::from_slice(&entry.data).unwrap())
}

async fn volumes(bench: &Bench) -> usize {
    bench.ceph.as_ref().unwrap().volumes(&"vms".parse().unwrap()).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn a_pool_is_measured_in_every_way_and_left_as_it_was() {
    let bench = bench().await;
    order(&bench, 1, "first").await;
    bench.until("it measures", |view| view.tasks[&id(1)].progress.get().is_some()).await;
    let end = ended(&bench, 1).await;
    assert_eq!((end.phase, end.total), (TaskPhase::Success, 9), "{end:?}");
    let found = record(&bench, "first").await.unwrap();
    assert_eq!((&found["id"], &found["test_format"]), (&1.into(), &2.into()));
    let tests = found["result"].as_object().unwrap();
    assert_eq!(tests.len(), 8);
    for (name, test) in tests {
        assert!(test["jobs"].is_array(), "{name}");
        assert!(test["avg_cpu_util_percent"]["total"].is_number(), "{name}");
    }
    assert_eq!(volumes(&bench).await, 1, "its own volume is gone");
    order(&bench, 2, "second").await;
    assert_eq!(ended(&bench, 2).await.phase, TaskPhase::Success);
    assert_eq!(record(&bench, "second").await.unwrap()["id"], 2);
    order(&bench, 3, "first").await;
    let again = ended(&bench, 3).await;
    assert_eq!(again.status, "There is a benchmark 'first' already.");
}

#[tokio::test(start_paused = true)]
async fn the_next_primary_measures_anew() {
    let mut bench = bench().await;
    order(&bench, 1, "first").await;
    bench
        .until("it is amid it", |view| {
            view.tasks[&id(1)].progress.get().is_some_and(|progress| progress.current == 3)
        })
        .await;
    assert_eq!(record(&bench, "first").await.unwrap()["result"], "Running");
    let first = bench.floor.holder().unwrap();
    bench.kill(&first);
    let end = ended(&bench, 1).await;
    assert_eq!(end.phase, TaskPhase::Success, "{end:?}");
    assert_ne!(end.by.as_str(), first);
    assert_eq!(volumes(&bench).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_measured_is_not_listed() {
    let bench = bench().await;
    bench.ceph.as_ref().unwrap().set_mood(Mood::Refuses);
    order(&bench, 1, "first").await;
    assert_eq!(ended(&bench, 1).await.phase, TaskPhase::Failure);
    assert_eq!(record(&bench, "first").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_volume_of_that_name_is_not_overwritten() {
    let bench = bench().await;
    let op = Op::Create { path: "/ceph/volumes/vms/pvcbenchmark".to_owned(), data: vec![] };
    bench.tree.commit(vec![op]).await.unwrap();
    let ceph = bench.ceph.clone().unwrap();
    ceph.create_image("vms/pvcbenchmark".parse().unwrap());
    order(&bench, 1, "first").await;
    let end = ended(&bench, 1).await;
    assert_eq!(end.status, "There is a volume vms/pvcbenchmark already.");
    assert_eq!(volumes(&bench).await, 2);
    assert_eq!(ceph.pools().await.unwrap().len(), 1);
}
