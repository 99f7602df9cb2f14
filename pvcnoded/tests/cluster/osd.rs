//! OSDs that tasks add, remove and replace, on nodes whose daemons may die meanwhile.

use std::time::Duration;

use pvc_ceph::fake::{FakeDisks, Mood};
use pvc_ceph::{Disks, Osds};
use pvc_common::id::{DevicePath, OsdId, TaskId};
use pvc_common::model::{RunOn, TaskOrder, TaskProgress, Work};
use pvc_common::state::TaskPhase;
use pvc_common::unit::Bytes;
use pvc_common::zk::{Op, key};
use pvc_zk::Tree;

use crate::bench::{Bench, name};

const NODE: &str = "hv2";

fn id(n: usize) -> TaskId {
    format!("{n:08x}").parse().unwrap()
}

fn disk(path: &str) -> DevicePath {
    path.parse().unwrap()
}

/// A node with three blank disks.
async fn bench() -> Bench {
    let bench = Bench::with_ceph(3).await;
    let paths = ["/ceph", "/ceph/osds", "/ceph/pools"];
    let ops = paths.map(|path| Op::Create { path: path.to_owned(), data: vec![] });
    bench.tree.commit(ops.into()).await.unwrap();
    for path in ["/dev/sdb", "/dev/sdc"] {
        bench.disks[NODE].insert(&disk(path), Bytes(100 << 30));
    }
    bench
}

async fn order(bench: &Bench, n: usize, work: Work) {
    let order = TaskOrder { work, run_on: RunOn::Node(name(NODE)), ordered_ms: n as u64 };
    bench.tree.commit(vec![key::task(&id(n)).create(&order)]).await.unwrap();
}

async fn ended(bench: &Bench, n: usize) -> TaskProgress {
    bench.until("the task is over", |view| view.tasks[&id(n)].is_over()).await;
    bench.view().await.tasks[&id(n)].progress.get().unwrap().clone()
}

/// Plays a task to its end, which must be a good one.
async fn done(bench: &Bench, n: usize, work: Work) -> TaskProgress {
    order(bench, n, work).await;
    let end = ended(bench, n).await;
    assert_eq!(end.phase, TaskPhase::Success, "{end:?}");
    assert_eq!(end.current, end.total);
    end
}

fn add(device: &str, split_count: u8) -> Work {
    Work::AddOsds {
        device: device.parse().unwrap(),
        weight: "1.0".parse().unwrap(),
        ext_db_ratio: None,
        ext_db_size: None,
        split_count,
    }
}

fn remove(osd: u32, force_flag: bool) -> Work {
    Work::RemoveOsd { osd_id: OsdId(osd), force_flag, skip_zap_flag: false }
}

async fn read(bench: &Bench, path: &str) -> Option<String> {
    let entry = bench.tree.get(path).await.unwrap();
    entry.map(|entry| String::from_utf8(entry.data).unwrap())
}

async fn children(bench: &Bench, path: &str) -> Vec<String> {
    let mut names = bench.tree.children(path).await.unwrap().unwrap();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn osds_are_added_recorded_and_told_of() {
    let bench = bench().await;
    done(&bench, 1, add("/dev/sdb", 2)).await;
    assert_eq!(children(&bench, "/ceph/osds").await, ["1", "2"], "0 was there before");
    for osd in ["1", "2"] {
        let path = format!("/ceph/osds/{osd}");
        for (below, value) in [("/node", NODE), ("/device", "/dev/sdb"), ("/is_split", "True")] {
            assert_eq!(read(&bench, &format!("{path}{below}")).await.as_deref(), Some(value));
        }
        let stats = read(&bench, &format!("{path}/stats")).await.unwrap();
        assert!(stats.contains("\"up\":1"), "the primary has told of it: {stats}");
    }
    let map = bench.ceph.as_ref().unwrap().osd_map().await.unwrap();
    let new = &map.osds[&OsdId(2)];
    assert_eq!((new.up, new.is_in, new.host.as_deref()), (true, true, Some(NODE)));
    order(&bench, 2, add("/dev/sdb", 1)).await;
    let again = ended(&bench, 2).await;
    assert_eq!(again.phase, TaskPhase::Failure);
    assert_eq!(again.status, "disk /dev/sdb holds OSD 1, 2");
    assert_eq!(children(&bench, "/ceph/osds").await, ["1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_blank_or_not_there_is_left_alone() {
    let bench = bench().await;
    bench.disks[NODE].write(&disk("/dev/sdc"), "ext4");
    for (n, (device, why)) in [
        ("/dev/sdc", "disk /dev/sdc is not blank: it holds ext4"),
        ("/dev/sdz", "there is no disk /dev/sdz on this node"),
        ("detect:SAMSUNG:800GB:0", "this machine has no disk detect:SAMSUNG:800GB:0"),
    ]
    .into_iter()
    .enumerate()
    {
        order(&bench, n, add(device, 1)).await;
        let end = ended(&bench, n).await;
        assert_eq!((end.phase, end.status.as_str()), (TaskPhase::Failure, why));
    }
    assert_eq!(children(&bench, "/ceph/osds").await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_osd_is_removed_once_no_data_is_at_risk() {
    let bench = bench().await;
    done(&bench, 1, add("/dev/sdb", 1)).await;
    let ceph = bench.ceph.clone().unwrap();
    ceph.set_keeps_data(true);
    order(&bench, 2, remove(1, false)).await;
    let end = ended(&bench, 2).await;
    assert_eq!(end.phase, TaskPhase::Failure, "{end:?}");
    assert!(end.status.contains("OSD 1"), "{end:?}");
    assert!(bench.disks[NODE].running().contains(&OsdId(1)), "it still serves");
    ceph.set_keeps_data(false);
    done(&bench, 3, remove(1, false)).await;
    assert_eq!(children(&bench, "/ceph/osds").await, [""; 0]);
    assert!(!ceph.osd_map().await.unwrap().osds.contains_key(&OsdId(1)));
    done(&bench, 4, add("/dev/sdb", 1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_osd_gets_another_disk_and_keeps_its_number() {
    let bench = bench().await;
    done(&bench, 1, add("/dev/sdb", 1)).await;
    let work = Work::ReplaceOsds {
        osd_id: OsdId(1),
        new_device: "/dev/sdc".parse().unwrap(),
        weight: None,
        ext_db_ratio: None,
        ext_db_size: None,
    };
    done(&bench, 2, work).await;
    assert_eq!(read(&bench, "/ceph/osds/1/device").await.as_deref(), Some("/dev/sdc"));
}

/// Kills the daemon again and again, a little later each time: whatever it was at, the next one
/// brings it to its end.
#[tokio::test(start_paused = true)]
async fn a_daemon_that_dies_at_any_step_leaves_nothing_half_done() {
    let mut bench = bench().await;
    for (n, work) in [add("/dev/sdb", 2), remove(2, false), remove(1, false), add("/dev/sdb", 1)]
        .into_iter()
        .enumerate()
    {
        order(&bench, n, work).await;
        let mut told = None;
        for _ in 0..40 {
            let mut progress = bench.tree.watch(key::TASKS);
            let now = bench.view().await.tasks[&id(n)].progress.get().cloned();
            if now.as_ref().is_some_and(|now| now.phase.is_over()) {
                break;
            }
            if now == told {
                progress.recv().await.unwrap();
                continue;
            }
            told = now;
            bench.kill(NODE);
            bench.boot(NODE).await;
        }
        let end = ended(&bench, n).await;
        assert_eq!(end.phase, TaskPhase::Success, "{n}: {end:?}");
    }
    assert_eq!(children(&bench, "/ceph/osds").await.len(), 1);
}

/// A node whose disks are not taken apart by LVM, with an OSD.
async fn bare_bench() -> Bench {
    let mut bench = bench().await;
    let disks = FakeDisks::new(bench.ceph.clone().unwrap(), false);
    disks.insert(&disk("/dev/sdb"), Bytes(100 << 30));
    bench.disks.insert(NODE.to_owned(), disks);
    bench.kill(NODE);
    bench.boot(NODE).await;
    done(&bench, 1, add("/dev/sdb", 1)).await;
    bench
}

#[tokio::test(start_paused = true)]
async fn an_osd_without_lvm_is_started_after_its_machine_was_and_not_otherwise() {
    let mut bench = bare_bench().await;
    let ceph = bench.ceph.clone().unwrap();
    let disks = bench.disks[NODE].clone();
    let runs = || disks.running().contains(&OsdId(1));
    assert!(runs());

    // A person stopped it; that the daemon is started anew changes nothing.
    disks.stop(OsdId(1));
    bench.kill(NODE);
    bench.boot(NODE).await;
    bench.pass(Duration::from_secs(90)).await;
    assert!(!runs(), "it is left alone");

    // The power is cut; afterwards its disk answers late.
    bench.kill(NODE);
    disks.restart();
    bench.forget_run(NODE);
    disks.set_mood(Mood::Refuses);
    bench.boot(NODE).await;
    bench.pass(Duration::from_secs(15)).await;
    assert!(!runs());
    disks.set_mood(Mood::Well);
    bench.pass(Duration::from_secs(15)).await;
    assert!(runs() && ceph.osd_map().await.unwrap().osds[&OsdId(1)].up);

    // The daemon ended when it had activated the OSD and not started it yet.
    bench.kill(NODE);
    disks.restart();
    bench.forget_run(NODE);
    let found = disks.osds().await.unwrap();
    disks.activate(&found[0]).await.unwrap();
    bench.boot(NODE).await;
    bench.pass(Duration::from_secs(5)).await;
    assert!(runs());
}
