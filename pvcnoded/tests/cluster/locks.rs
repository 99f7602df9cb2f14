//! Locks that QEMUs leave on their volumes: those of the dead are taken when a VM starts, and no others.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pvc_ceph::fake::Mood;
use pvc_ceph::{Ceph, ClientAddress, Lock};
use pvc_common::id::VolumeId;
use pvc_common::state::{DaemonState, VmState};
use pvc_common::zk::{Seen, key};
use tokio::time::Instant;

use crate::bench::{Bench, name, presence, uuid};

fn volume() -> VolumeId {
    "vms/a".parse().unwrap()
}

/// A program at an address locks the volume.
fn lock_from(bench: &Bench, address: IpAddr) -> Lock {
    let address = ClientAddress { socket: SocketAddr::new(address, 0), nonce: 7 };
    let lock = Lock { id: "auto 1".to_owned(), locker: "client.7".to_owned(), address };
    assert!(bench.ceph.as_ref().unwrap().lock(volume(), lock.clone()));
    lock
}

fn lock(bench: &Bench, node: &str) -> Lock {
    lock_from(bench, presence(node).addresses[0])
}

async fn locks(bench: &Bench) -> Vec<Lock> {
    let ceph = bench.ceph.as_ref().unwrap();
    ceph.set_mood_at("rbd lock ls", Mood::Well);
    ceph.locks(&volume()).await.unwrap()
}

/// VM 1 runs on hv4, and may go to hv3 besides.
async fn bench() -> Bench {
    let bench = Bench::with_ceph(4).await;
    bench.define(1, "hv4", VmState::Start).await;
    bench.put(&key::vm_node_limit(uuid(1)), &vec![name("hv3"), name("hv4")]).await;
    bench.runs(1, "hv4").await;
    bench
}

/// hv4 dies; how long it took until VM 1 ran on hv3.
async fn lose_hv4(bench: &mut Bench) -> Duration {
    let began = Instant::now();
    bench.room.power_cut("hv4");
    bench.kill("hv4");
    bench.until("vm1 runs", |_| bench.room.executing_on(uuid(1)) == ["hv3"]).await;
    let took = began.elapsed();
    bench
        .until("hv4's fence is over", |view| {
            let node = &view.nodes[&name("hv4")];
            node.liveness.fence == Seen::Absent
                && node.daemon_state.copied() == Some(DaemonState::Fenced)
        })
        .await;
    bench.runs(1, "hv3").await;
    took
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_a_dead_node_is_taken_when_its_vm_starts_elsewhere() {
    let mut bench = bench().await;
    lock(&bench, "hv4");
    lose_hv4(&mut bench).await;
    assert_eq!(locks(&bench).await, []);
}

#[tokio::test(start_paused = true)]
async fn nobody_elses_lock_is_taken_when_a_dead_nodes_vm_starts_elsewhere() {
    let strangers = [presence("hv1").addresses[0], "10.0.0.77".parse().unwrap()];
    for address in strangers {
        let mut bench = bench().await;
        let held = lock_from(&bench, address);
        lose_hv4(&mut bench).await;
        assert_eq!(locks(&bench).await, [held]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_of_a_dead_node_starts_no_later_though_ceph_is_slow_to_let_go_of_a_lock() {
    let usual = lose_hv4(&mut bench().await).await;
    for mood in [Mood::Hangs, Mood::Deafens, Mood::Refuses] {
        let mut bench = bench().await;
        lock(&bench, "hv4");
        bench.ceph.as_ref().unwrap().set_mood_at("rbd lock rm", mood);
        let took = lose_hv4(&mut bench).await;
        assert!(took < usual + Duration::from_secs(1), "{mood:?}: {took:?}, usually {usual:?}");
        assert_eq!(locks(&bench).await.is_empty(), mood == Mood::Deafens, "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_a_qemu_that_was_killed_is_taken_when_the_vm_starts_again_there() {
    for (holder, is_left) in [("hv4", true), ("hv3", false)] {
        let bench = bench().await;
        let held = lock(&bench, holder);
        bench.room.end_vm(uuid(1));
        bench.runs(1, "hv4").await;
        let left = if is_left { vec![] } else { vec![held] };
        assert_eq!(locks(&bench).await, left, "of {holder}");
    }
}
