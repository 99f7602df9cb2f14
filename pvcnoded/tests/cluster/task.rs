//! Tasks that a node does: seen through to the end, whoever dies meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use pvc_ceph::fake::Mood;
use pvc_ceph::{Ceph, ClientAddress, Lock};
use pvc_common::id::{TaskId, VolumeId};
use pvc_common::model::{RunOn, TaskOrder, TaskProgress, Work};
use pvc_common::state::{TaskPhase, VmState};
use pvc_common::zk::{Seen, key};
use pvc_libvirt::Hypervisor;
use pvc_zk::{CommitFault, Tree};

use crate::bench::{Bench, name, presence, uuid};

const DISK: &str =
    "<disk type='file'><source file='/a.img'/><target dev='vdz' bus='virtio'/></disk>";

fn id(n: usize) -> TaskId {
    format!("{n:08x}").parse().unwrap()
}

fn volume() -> VolumeId {
    "vms/a".parse().unwrap()
}

/// The lock of a program on a node.
fn lock(node: &str, nonce: u32) -> Lock {
    let socket = SocketAddr::new(presence(node).addresses[0], 0);
    let address = ClientAddress { socket, nonce };
    Lock { id: "auto 1".to_owned(), locker: format!("client.{nonce}"), address }
}

async fn order(bench: &Bench, n: usize, run_on: RunOn, work: Work) {
    let order = TaskOrder { work, run_on, ordered_ms: n as u64 };
    bench.tree.commit(vec![key::task(&id(n)).create(&order)]).await.unwrap();
}

async fn order_flush(bench: &Bench, n: usize, on: &str) {
    order(bench, n, RunOn::Node(name(on)), Work::FlushLocks { domain: uuid(1) }).await;
}

async fn ended(bench: &Bench, n: usize) -> TaskProgress {
    bench.until("the task is over", |view| view.tasks[&id(n)].is_over()).await;
    bench.view().await.tasks[&id(n)].progress.get().unwrap().clone()
}

/// VM 1 with a volume that a program on hv3 has locked.
async fn bench_with_a_locked_volume(state: VmState) -> Bench {
    let bench = Bench::with_ceph(3).await;
    bench.define(1, "hv2", state).await;
    bench.put(&key::vm_rbd_list(uuid(1)), &vec![volume()]).await;
    assert!(bench.ceph.as_ref().unwrap().lock(volume(), lock("hv3", 7)));
    bench
}

async fn locks(bench: &Bench) -> usize {
    bench.ceph.as_ref().unwrap().locks(&volume()).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn the_locks_of_a_vm_that_rests_are_taken() {
    let bench = bench_with_a_locked_volume(VmState::Stop).await;
    order_flush(&bench, 1, "hv2").await;
    let end = ended(&bench, 1).await;
    assert_eq!((end.phase, end.by.as_str()), (TaskPhase::Success, "hv2"), "{end:?}");
    assert_eq!(end.status, "Took 1 locks from 1 volumes");
    assert_eq!(locks(&bench).await, 0);
    assert!(bench.ceph.as_ref().unwrap().shuts_out(lock("hv3", 7).address));
}

#[tokio::test(start_paused = true)]
async fn the_locks_of_a_vm_that_runs_or_shall_are_not() {
    let bench = bench_with_a_locked_volume(VmState::Start).await;
    bench.runs(1, "hv2").await;
    order_flush(&bench, 1, "hv2").await;
    let end = ended(&bench, 1).await;
    assert_eq!(end.phase, TaskPhase::Failure);
    assert_eq!(end.status, "The VM is in state start: stop it first.");
    assert_eq!(locks(&bench).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_ceph_that_hangs_fails_a_task_in_time() {
    let bench = bench_with_a_locked_volume(VmState::Stop).await;
    bench.ceph.as_ref().unwrap().set_mood(Mood::Hangs);
    order_flush(&bench, 1, "hv2").await;
    let end = ended(&bench, 1).await;
    assert!(end.status.contains("did not answer"), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_dies_leaves_its_task_to_the_next() {
    let mut bench = bench_with_a_locked_volume(VmState::Stop).await;
    let ceph = bench.ceph.clone().unwrap();
    ceph.set_mood(Mood::Hangs);
    order_flush(&bench, 1, "hv2").await;
    bench.until("it is begun", |view| view.tasks[&id(1)].progress.get().is_some()).await;
    bench.kill("hv2");
    ceph.set_mood(Mood::Well);
    bench.pass(Duration::from_secs(3)).await;
    assert_eq!(locks(&bench).await, 1, "nobody else does it");
    bench.boot("hv2").await;
    assert_eq!(ended(&bench, 1).await.phase, TaskPhase::Success);
    assert_eq!(locks(&bench).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_primary_does_is_gone_on_with_by_the_next() {
    let mut bench = bench_with_a_locked_volume(VmState::Stop).await;
    let ceph = bench.ceph.clone().unwrap();
    bench.until("somebody is primary", |_| bench.floor.holder().is_some()).await;
    let first = bench.floor.holder().unwrap();
    ceph.set_mood(Mood::Hangs);
    order(&bench, 1, RunOn::Primary, Work::FlushLocks { domain: uuid(1) }).await;
    bench.until("it is begun", |view| view.tasks[&id(1)].progress.get().is_some()).await;
    bench.kill(&first);
    ceph.set_mood(Mood::Well);
    let end = ended(&bench, 1).await;
    assert_eq!(end.phase, TaskPhase::Success);
    assert_ne!(end.by.as_str(), first);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_task_is_told_although_writes_are_lost() {
    for fault in [CommitFault::UnknownAndLost, CommitFault::UnknownButDone] {
        let bench = bench_with_a_locked_volume(VmState::Stop).await;
        for _ in 0..3 {
            bench.daemons["hv2"].tree().fail_commit(fault);
        }
        order_flush(&bench, 1, "hv2").await;
        assert_eq!(ended(&bench, 1).await.phase, TaskPhase::Success, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_comes_and_goes() {
    let bench = Bench::new(2).await;
    bench.define(1, "hv2", VmState::Start).await;
    bench.runs(1, "hv2").await;
    let (on, xml) = (RunOn::Node(name("hv2")), DISK.to_owned());
    let attach = Work::AttachDevice { domain: uuid(1), xml: xml.clone() };
    order(&bench, 1, on.clone(), attach.clone()).await;
    assert_eq!(ended(&bench, 1).await.phase, TaskPhase::Success);
    let live = async || bench.room.node("hv2").live_xml(uuid(1)).await.unwrap();
    assert!(live().await.contains("vdz"));
    order(&bench, 2, on.clone(), attach).await;
    let again = ended(&bench, 2).await;
    assert_eq!(again.phase, TaskPhase::Failure, "{again:?}");
    order(&bench, 3, on, Work::DetachDevice { domain: uuid(1), xml }).await;
    assert_eq!(ended(&bench, 3).await.phase, TaskPhase::Success);
    assert!(!live().await.contains("vdz"));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_was_plugged_in_before_the_daemon_died_is_not_plugged_in_twice() {
    let mut bench = Bench::new(2).await;
    bench.define(1, "hv2", VmState::Start).await;
    bench.runs(1, "hv2").await;
    bench.kill("hv2");
    bench.room.node("hv2").attach_device(uuid(1), DISK).await.unwrap();
    let work = Work::AttachDevice { domain: uuid(1), xml: DISK.to_owned() };
    order(&bench, 1, RunOn::Node(name("hv2")), work).await;
    let begun = TaskProgress {
        phase: TaskPhase::Running,
        by: name("hv2"),
        current: 0,
        total: 1,
        status: "Beginning".to_owned(),
        result: None,
        memory: None,
    };
    bench.put(&key::task_progress(&id(1)), &begun).await;
    bench.boot("hv2").await;
    assert_eq!(ended(&bench, 1).await.phase, TaskPhase::Success);
}

#[tokio::test(start_paused = true)]
async fn the_history_of_tasks_is_bounded() {
    let bench = Bench::new(1).await;
    let over = TaskProgress {
        phase: TaskPhase::Success,
        by: name("hv1"),
        current: 1,
        total: 1,
        status: "done".to_owned(),
        result: None,
        memory: None,
    };
    for n in 1..=205 {
        let work = Work::FlushLocks { domain: uuid(1) };
        let order = TaskOrder { work, run_on: RunOn::Primary, ordered_ms: n as u64 };
        let ops = vec![key::task(&id(n)).create(&order), key::task_progress(&id(n)).create(&over)];
        bench.tree.commit(ops).await.unwrap();
    }
    bench.until("the oldest are gone", |view| view.tasks.len() == 200).await;
    let view = bench.view().await;
    assert!(!view.tasks.contains_key(&id(5)) && view.tasks.contains_key(&id(6)));
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_starts_again_takes_the_lock_its_former_self_has_left_here() {
    let bench = bench_with_a_locked_volume(VmState::Stop).await;
    let ceph = bench.ceph.clone().unwrap();
    for (holder, left) in [("hv2", 0), ("hv3", 1)] {
        assert!(ceph.lock(volume(), lock(holder, if left == 0 { 8 } else { 9 })));
        bench.wish(1, VmState::Start).await;
        bench.runs(1, "hv2").await;
        assert_eq!(locks(&bench).await, left, "held from {holder}");
        bench.wish(1, VmState::Stop).await;
        bench.rests(1, VmState::Stop).await;
    }
    assert_eq!(bench.vm(1).await.claim, Seen::Absent);
}

#[tokio::test(start_paused = true)]
async fn a_vm_starts_although_ceph_does_not_tell_of_locks() {
    let bench = bench_with_a_locked_volume(VmState::Stop).await;
    bench.ceph.as_ref().unwrap().set_mood(Mood::Hangs);
    bench.wish(1, VmState::Start).await;
    bench.runs(1, "hv2").await;
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_another_vm_that_shares_the_volume_is_not_taken() {
    let bench = bench_with_a_locked_volume(VmState::Stop).await;
    bench.define(2, "hv2", VmState::Start).await;
    bench.runs(2, "hv2").await;
    assert!(bench.ceph.as_ref().unwrap().lock(volume(), lock("hv2", 8)));
    bench.wish(1, VmState::Start).await;
    bench.runs(1, "hv2").await;
    assert_eq!(locks(&bench).await, 1);
}
