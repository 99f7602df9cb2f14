//! Nodes that die, on whole daemons: their VMs run elsewhere, and never twice.

use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::state::{DaemonState, DomainState, VmState};
use pvc_common::view::View;
use pvc_common::zk::Seen;

use crate::bench::{Bench, name, uuid};

/// The host loses its power: its VMs and its daemon are gone without a word.
fn lose(bench: &mut Bench, node: &str) {
    bench.room.power_cut(node);
    bench.kill(node);
}

fn state(view: &View, node: &str) -> Option<DaemonState> {
    view.nodes[&name(node)].daemon_state.copied()
}

/// Waits until a VM runs on any of these nodes.
async fn runs_on_any(bench: &Bench, n: usize, nodes: &[&str]) {
    bench
        .until(&format!("vm{n} runs on one of {nodes:?}"), |view| {
            let vm = &view.vms[&uuid(n)];
            let on = bench.room.executing_on(uuid(n));
            vm.state.copied() == Some(VmState::Start)
                && on.len() == 1
                && nodes.contains(&on[0].as_str())
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_nodes_vms_run_elsewhere_and_its_node_is_flushed() {
    let mut bench = Bench::fencing(3).await;
    for n in 1..=6 {
        bench.define(n, "hv3", VmState::Start).await;
    }
    for n in 1..=6 {
        bench.runs(n, "hv3").await;
    }
    lose(&mut bench, "hv3");
    for n in 1..=6 {
        runs_on_any(&bench, n, &["hv1", "hv2"]).await;
    }
    bench
        .until("hv3 is fenced and settled", |view| {
            let node = &view.nodes[&name("hv3")];
            state(view, "hv3") == Some(DaemonState::Fenced)
                && node.domain_state.copied() == Some(DomainState::Flushed)
                && node.liveness.fence == Seen::Absent
        })
        .await;
    let power = bench.power.clone().unwrap();
    assert!(power.is_on("hv3-lom"), "it is switched on again once it is settled");
    assert!(power.is_on("hv1-lom") && power.is_on("hv2-lom"));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_returns_runs_nothing_of_what_moved() {
    let mut bench = Bench::fencing(3).await;
    bench.define(1, "hv3", VmState::Start).await;
    bench.runs(1, "hv3").await;
    lose(&mut bench, "hv3");
    runs_on_any(&bench, 1, &["hv1", "hv2"]).await;
    bench
        .until("the fence is over", |view| view.nodes[&name("hv3")].liveness.fence == Seen::Absent)
        .await;
    bench.room.recover("hv3");
    bench.boot("hv3").await;
    bench.until("hv3 serves again", |view| state(view, "hv3") == Some(DaemonState::Run)).await;
    bench.pass(Duration::from_secs(60)).await;
    runs_on_any(&bench, 1, &["hv1", "hv2"]).await;
    bench.domain_state("hv3", DomainState::Unflush).await;
    bench.runs(1, "hv3").await;
}

#[tokio::test(start_paused = true)]
async fn a_fence_goes_on_wherever_its_author_dies() {
    for moment_ms in [0, 3, 10, 50, 200, 1_000] {
        let mut bench = Bench::fencing(5).await;
        bench.define(1, "hv5", VmState::Start).await;
        bench.runs(1, "hv5").await;
        lose(&mut bench, "hv5");
        bench
            .until("hv5 is condemned", |view| {
                view.nodes[&name("hv5")].liveness.fence.get().is_some()
            })
            .await;
        let view = bench.view().await;
        let author = view.nodes[&name("hv5")].liveness.fence.get().map(|fence| fence.by.clone());
        bench.pass(Duration::from_millis(moment_ms)).await;
        if let Some(author) = author {
            lose(&mut bench, author.as_str());
        }
        bench
            .until("the fence of hv5 is over", |view| {
                view.nodes[&name("hv5")].liveness.fence == Seen::Absent
            })
            .await;
        bench.until("vm1 runs", |_| bench.room.executing_on(uuid(1)).len() == 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_comes_back_soon_costs_its_node_nothing() {
    let mut bench = Bench::fencing(3).await;
    bench.define(1, "hv3", VmState::Start).await;
    bench.runs(1, "hv3").await;
    for _ in 0..10 {
        bench.kill("hv3");
        bench.pass(Duration::from_secs(5)).await;
        bench.boot("hv3").await;
        bench.until("hv3 serves", |view| state(view, "hv3") == Some(DaemonState::Run)).await;
    }
    bench.runs(1, "hv3").await;
    let vm: VmUuid = uuid(1);
    assert_eq!(bench.room.executing_on(vm), ["hv3"]);
    assert!(bench.power.as_ref().unwrap().is_on("hv3-lom"));
}
