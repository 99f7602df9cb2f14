//! The nodes' databases, whose leader follows the primary.

use std::time::Duration;

use pvc_common::zk::key;
use tokio::time::Instant;

use crate::bench::{Bench, name};

/// Waits until `node` has the addresses and serves at them; says how long that took.
async fn serves(bench: &Bench, node: &str) -> Duration {
    let begun = Instant::now();
    while bench.floor.holder().as_deref() != Some(node) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{node} does not serve");
        bench.pass(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}

async fn leads(bench: &Bench, node: &str) -> Duration {
    let begun = Instant::now();
    let leader = || bench.databases.as_ref().unwrap().leader();
    while leader().as_deref() != Some(node) {
        assert!(begun.elapsed() < Duration::from_secs(120), "{:?} leads", leader());
        bench.pass(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}

/// The bench with its first primary, and another node.
async fn begun() -> (Bench, &'static str, &'static str) {
    let bench = Bench::with_databases(2).await;
    bench
        .until("somebody is named", |view| matches!(view.cluster.primary_node.get(), Some(Some(_))))
        .await;
    let named = bench.view().await.cluster.primary_node.get().cloned().flatten().unwrap();
    let (first, other) = if named.as_str() == "hv1" { ("hv1", "hv2") } else { ("hv2", "hv1") };
    serves(&bench, first).await;
    leads(&bench, first).await;
    (bench, first, other)
}

#[tokio::test(start_paused = true)]
async fn the_leader_follows_the_primary() {
    let (bench, first, other) = begun().await;
    bench.databases.as_ref().unwrap().take(Duration::from_secs(2));
    for node in [other, first, other] {
        bench.put(&key::primary_node(), &Some(name(node))).await;
        assert!(serves(&bench, node).await < Duration::from_secs(2), "services wait for no lead");
        assert!(leads(&bench, node).await < Duration::from_secs(5));
    }
    bench.pass(Duration::from_secs(60)).await;
    let asked = bench.databases.as_ref().unwrap().asked();
    assert!(asked <= 4, "what is here is not asked for again: {asked}");
}

#[tokio::test(start_paused = true)]
async fn a_patroni_that_hangs_holds_up_nothing_else() {
    let (bench, first, other) = begun().await;
    let databases = bench.databases.clone().unwrap();
    databases.stick(first, true);
    databases.stick(other, true);
    bench.put(&key::primary_node(), &Some(name(other))).await;
    let took = serves(&bench, other).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    bench.pass(Duration::from_secs(60)).await;
    // Nor does it keep the part from being passed on again.
    bench.put(&key::primary_node(), &Some(name(first))).await;
    let took = serves(&bench, first).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    databases.stick(first, false);
    databases.stick(other, false);
    leads(&bench, first).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_died_is_followed_when_another_was_elected() {
    let (bench, _, other) = begun().await;
    let databases = bench.databases.clone().unwrap();
    databases.elect(None);
    bench.put(&key::primary_node(), &Some(name(other))).await;
    assert!(serves(&bench, other).await < Duration::from_secs(2));
    bench.pass(Duration::from_secs(20)).await;
    databases.elect(Some(if other == "hv1" { "hv2" } else { "hv1" }));
    assert!(leads(&bench, other).await < Duration::from_secs(5));
}
