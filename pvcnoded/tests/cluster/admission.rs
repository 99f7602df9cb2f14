//! Nodes whose storage clients are shut out: they serve again once they are let in, and nothing of
//! the old lives on.

use std::net::SocketAddr;
use std::time::Duration;

use pvc_ceph::fake::Mood;
use pvc_ceph::{Ceph, ClientAddress};
use pvc_common::id::OsdId;
use pvc_common::state::{DaemonState, DomainState, OsdLoss, VmState};
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, key};
use pvc_ipmi::fake::Condition;
use pvc_zk::Tree;

use crate::bench::{Bench, name, presence, uuid};

fn shut_out(bench: &Bench, node: &str) -> bool {
    let address = presence(node).addresses[0];
    let client = ClientAddress { socket: SocketAddr::new(address, 0), nonce: 7 };
    bench.ceph.as_ref().unwrap().shuts_out(client)
}

fn serves(view: &View, node: &str) -> bool {
    view.nodes[&name(node)].daemon_state.copied() == Some(DaemonState::Run)
}

fn fence_is_over(view: &View, node: &str) -> bool {
    let node = &view.nodes[&name(node)];
    node.liveness.fence == Seen::Absent && node.daemon_state.copied() == Some(DaemonState::Fenced)
}

/// A node dies whose VM runs elsewhere by now.
async fn bench_with_a_fenced_node() -> Bench {
    let mut bench = Bench::with_ceph(3).await;
    bench.define(1, "hv3", VmState::Start).await;
    bench.runs(1, "hv3").await;
    bench.room.power_cut("hv3");
    bench.kill("hv3");
    bench.until("hv3 is fenced", |view| fence_is_over(view, "hv3")).await;
    bench.until("vm1 runs", |_| bench.room.executing_on(uuid(1)).len() == 1).await;
    assert!(shut_out(&bench, "hv3"), "a BMC can lie");
    bench.room.recover("hv3");
    bench
}

#[tokio::test(start_paused = true)]
async fn a_node_that_returns_is_let_in_before_it_serves() {
    let mut bench = bench_with_a_fenced_node().await;
    bench.boot("hv3").await;
    bench.until("hv3 serves", |view| serves(view, "hv3")).await;
    assert!(!shut_out(&bench, "hv3"));
    bench.domain_state("hv3", DomainState::Unflush).await;
    bench.runs(1, "hv3").await;
}

#[tokio::test(start_paused = true)]
async fn a_fenced_node_waits_until_ceph_answers() {
    let mut bench = bench_with_a_fenced_node().await;
    let ceph = bench.ceph.clone().unwrap();
    for mood in [Mood::Hangs, Mood::Deafens, Mood::Refuses] {
        ceph.set_mood(mood);
        bench.boot("hv3").await;
        bench.pass(Duration::from_secs(60)).await;
        assert!(!serves(&*bench.view().await, "hv3"), "{mood:?}");
        match mood {
            Mood::Hangs => bench.stop("hv3").await,
            _ => bench.kill("hv3"),
        }
    }
    ceph.set_mood(Mood::Well);
    bench.boot("hv3").await;
    bench.until("hv3 serves", |view| serves(view, "hv3")).await;
    assert!(!shut_out(&bench, "hv3"));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_only_restarted_does_not_wait_for_ceph() {
    let mut bench = Bench::with_ceph(3).await;
    bench.ceph.as_ref().unwrap().set_mood(Mood::Hangs);
    bench.kill("hv3");
    bench.boot("hv3").await;
    bench.until("hv3 serves", |view| serves(view, "hv3")).await;
}

/// Its daemon dies, and its BMC is out of reach, so that only Ceph proves a death that is none.
#[tokio::test(start_paused = true)]
async fn a_vm_that_was_shut_out_is_ended_when_its_node_returns() {
    let mut bench = Bench::with_ceph(3).await;
    bench.define(1, "hv3", VmState::Start).await;
    bench.put(&key::vm_node_limit(uuid(1)), &vec![name("hv3")]).await;
    bench.runs(1, "hv3").await;
    bench.power.as_ref().unwrap().condition("hv3-lom", Condition::Dead);
    bench.kill("hv3");
    bench.until("hv3 is fenced", |view| fence_is_over(view, "hv3")).await;
    assert_eq!(bench.room.executing_on(uuid(1)), ["hv3"], "it merely cannot write");
    let before = bench.room.history(uuid(1)).len();
    bench.boot("hv3").await;
    bench.until("hv3 serves", |view| serves(view, "hv3")).await;
    assert!(!shut_out(&bench, "hv3"));
    bench.domain_state("hv3", DomainState::Ready).await;
    bench.runs(1, "hv3").await;
    let since = bench.room.history(uuid(1)).split_off(before);
    assert!(since.len() >= 2, "it was ended and started: {since:?}");
}

#[tokio::test(start_paused = true)]
async fn a_serving_node_that_is_shut_out_starts_its_vms_anew_when_it_is_let_in() {
    let bench = Bench::with_ceph(3).await;
    bench.define(1, "hv3", VmState::Start).await;
    bench.runs(1, "hv3").await;
    let ceph = bench.ceph.clone().unwrap();
    let addresses = presence("hv3").addresses;
    // As one does whose author was asleep when the fence was withdrawn.
    ceph.blocklist(&addresses, Duration::from_secs(100_000)).await.unwrap();
    let before = bench.room.history(uuid(1)).len();
    bench.until("hv3 withdraws", |view| !serves(view, "hv3")).await;
    bench.until("hv3 serves again", |view| serves(view, "hv3")).await;
    assert!(!shut_out(&bench, "hv3"));
    bench.runs(1, "hv3").await;
    let since = bench.room.history(uuid(1)).split_off(before);
    assert!(since.len() >= 2, "it was ended and started: {since:?}");
}

#[tokio::test(start_paused = true)]
async fn the_osds_of_a_dead_node_and_no_others_are_lost_and_dead_only_if_their_machine_is() {
    for (bmc, loss) in [(Condition::Well, OsdLoss::Dead), (Condition::Dead, OsdLoss::Down)] {
        let mut bench = Bench::with_ceph(3).await;
        let keys = ["", "/osds", "/osds/0", "/osds/1"].map(|path| (format!("/ceph{path}"), ""));
        let nodes = [("0", "hv1"), ("1", "hv3")];
        let nodes = nodes.map(|(osd, node)| (format!("/ceph/osds/{osd}/node"), node));
        let create = |(path, node): (String, &str)| Op::Create { path, data: node.into() };
        bench.tree.commit(keys.into_iter().chain(nodes).map(create).collect()).await.unwrap();
        bench.power.as_ref().unwrap().condition("hv3-lom", bmc);
        bench.room.power_cut("hv3");
        bench.kill("hv3");
        bench.until("hv3 is fenced", |view| fence_is_over(view, "hv3")).await;
        bench.pass(Duration::from_secs(1)).await;
        assert_eq!(bench.ceph.as_ref().unwrap().down(), [(OsdId(1), loss)].into(), "{bmc:?}");
    }
}

/// Killed again and again at moments that lie ever closer.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_being_let_in_may_be_killed_at_any_moment() {
    for every_ms in [4_000, 1_700, 900, 300, 70] {
        let mut bench = bench_with_a_fenced_node().await;
        for _ in 0..5 {
            bench.boot("hv3").await;
            bench.pass(Duration::from_millis(every_ms)).await;
            assert!(!serves(&*bench.view().await, "hv3") || !shut_out(&bench, "hv3"));
            bench.kill("hv3");
        }
        bench.boot("hv3").await;
        bench.until("hv3 serves", |view| serves(view, "hv3")).await;
        assert!(!shut_out(&bench, "hv3"));
    }
}
