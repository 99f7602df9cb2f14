//! What is amiss with a primary is told in its node's health.

use std::time::Duration;

use pvc_common::zk::key;
use pvc_host::Units;

use crate::bench::{Bench, name};

const API: &str = "pvcapid.service";

/// What the check `primary` of a node says, and the node's health.
async fn told(bench: &Bench, node: &str) -> (String, String) {
    let (me, check) = (name(node), "primary".parse().unwrap());
    let message = bench.read(&key::plugin_message(&me, &check)).await;
    let health = bench.read(&key::node_health(&me)).await;
    (message.get().cloned().unwrap_or_default(), health.get().cloned().unwrap_or_default())
}

/// The bench, once somebody has had everything of a primary for a while.
async fn at_rest(bench: Bench) -> (Bench, String) {
    bench.pass(Duration::from_secs(20)).await;
    let first = bench.floor.holder().expect("a primary");
    let (message, health) = told(&bench, &first).await;
    assert_eq!((message.contains("in order"), &*health), (true, "100"), "{message}");
    (bench, first)
}

#[tokio::test(start_paused = true)]
async fn an_api_that_ends_whenever_it_is_started_is_in_the_nodes_health_until_it_runs_on() {
    let (bench, first) = at_rest(Bench::new(2).await).await;
    let host = bench.hosts[&first].clone();
    host.install_unit(API);
    bench.pass(Duration::from_secs(10)).await;
    assert_eq!(host.running_units(), [API]);
    // Systemd starts it again and again; or, by its exit status, only the daemon does.
    for ends in [pvc_host::fake::FakeHost::crash_unit, pvc_host::fake::FakeHost::fail_unit] {
        for _ in 0..60 {
            ends(&host, API);
            bench.pass(Duration::from_millis(600)).await;
            host.start(API).await.unwrap();
            bench.pass(Duration::from_millis(700)).await;
        }
        let (message, health) = told(&bench, &first).await;
        assert!(message.contains("pvcapid.service: it ends by itself"), "{message}");
        assert_eq!(health, "75");
        bench.pass(Duration::from_secs(25)).await;
        assert_eq!(told(&bench, &first).await.1, "75", "it may end again");
        bench.pass(Duration::from_secs(10)).await;
        let (message, health) = told(&bench, &first).await;
        assert_eq!((message.contains("in order"), &*health), (true, "100"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_leads_elsewhere_is_in_the_nodes_health_until_it_follows() {
    let (bench, first) = at_rest(Bench::with_databases(2).await).await;
    let databases = bench.databases.clone().unwrap();
    databases.elect(None);
    bench.pass(Duration::from_secs(20)).await;
    let (message, health) = told(&bench, &first).await;
    assert_eq!((&*message, &*health), ("PostgreSQL: none leads yet", "75"));
    databases.elect(Some(if first == "hv1" { "hv2" } else { "hv1" }));
    bench.pass(Duration::from_secs(20)).await;
    assert_eq!(told(&bench, &first).await.1, "100");
}

#[tokio::test(start_paused = true)]
async fn what_a_switch_takes_anyway_is_no_trouble() {
    let (bench, first) = at_rest(Bench::with_databases(2).await).await;
    let other = if first == "hv1" { "hv2" } else { "hv1" };
    bench.databases.as_ref().unwrap().take(Duration::from_secs(2));
    bench.put(&key::primary_node(), &Some(name(other))).await;
    for _ in 0..100 {
        bench.pass(Duration::from_millis(100)).await;
        let (message, health) = told(&bench, other).await;
        assert_eq!(health, "100", "{message}");
    }
}
