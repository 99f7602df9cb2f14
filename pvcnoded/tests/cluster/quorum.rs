//! A node that runs no VMs: it has a voice, and that is all.

use std::time::Duration;

use pvc_common::model::Presence;
use pvc_common::state::{DaemonState, DomainState, VmState};
use pvc_common::view::View;
use pvc_common::zk::key;

use crate::bench::{Bench, name, presence};

/// Three nodes, of which `hv3` runs no VMs.
async fn with_a_quorum_node() -> Bench {
    let mut bench = Bench::new(3).await;
    bench.stop("hv3").await;
    let quorum = Presence { without_vms: true, ..presence("hv3") };
    bench.put(&key::node_presence(&name("hv3")), &quorum).await;
    bench.boot("hv3").await;
    let state = |view: &View| view.nodes[&name("hv3")].daemon_state.copied();
    bench.until("hv3 serves", |view| state(view) == Some(DaemonState::Run)).await;
    bench
}

#[tokio::test(start_paused = true)]
async fn a_node_that_runs_no_vms_asks_no_libvirt() {
    let bench = with_a_quorum_node().await;
    let asked = bench.room.asked("hv3");
    bench.pass(Duration::from_secs(120)).await;
    assert_eq!(bench.room.asked("hv3"), asked);
    assert!(bench.room.asked("hv2") > 20, "others ask for the figures of their VMs");
}

#[tokio::test(start_paused = true)]
async fn a_flush_sends_nothing_to_a_node_that_runs_no_vms() {
    let bench = with_a_quorum_node().await;
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    bench.domain_state("hv2", DomainState::Flushed).await;
    bench.domain_state("hv1", DomainState::Flush).await;
    bench.rests(1, VmState::Stop).await;
    let node = bench.vm(1).await.node.get().cloned().flatten();
    assert_eq!(node, Some(name("hv1")), "it waits for its node");
}
