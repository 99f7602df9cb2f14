//! Many networks, and networks with many rules.

use std::time::{Duration, Instant};

use crate::site::{Node, listing, network, own_namespace};

/// A hundred times what it takes on a quiet machine: a change must not cost what all networks do.
const CHANGE_LIMIT: Duration = Duration::from_secs(2);
const START_LIMIT: Duration = Duration::from_secs(20);

fn fifty_rules(port: usize) -> Vec<String> {
    let rule = |n: usize| format!("ip saddr 10.{n}.0.0/16 tcp dport {} accept", port + n);
    (0..50).map(rule).chain(["drop".to_owned()]).collect()
}

async fn timed(node: &mut Node) -> (usize, Duration) {
    let began = Instant::now();
    let changed = node.activate().await.changed;
    (changed, began.elapsed())
}

/// The handles of chains tell which were made anew.
fn chains() -> Vec<String> {
    let listing = listing("chains inet");
    listing.lines().filter(|line| line.contains("chain ")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn one_change_among_five_hundred_networks_touches_only_its_own() {
    if !own_namespace() {
        return;
    }
    let mut node = Node::new().await;
    for net in 0..500 {
        node.has(
            net,
            network(&["tcp dport { 22, 443 } accept", "drop"], &["ip daddr 10.0.0.0/8 accept"]),
        );
    }
    let (changed, start) = timed(&mut node).await;
    assert_eq!(changed, 500);
    let before = chains();
    let mut changes = Vec::new();
    for port in 1..=5 {
        node.has(
            250,
            network(&[&format!("tcp dport {port} accept")], &["ip daddr 10.0.0.0/8 accept"]),
        );
        let (changed, took) = timed(&mut node).await;
        assert_eq!(changed, 1);
        changes.push(took);
    }
    let after = chains();
    let new: Vec<_> = after.iter().filter(|chain| !before.contains(chain)).collect();
    assert!(matches!(&*new, [one] if one.contains("vxlan1250-in-")), "{new:?}");
    assert_eq!(after.len(), before.len());
    node.restart();
    let (changed, restart) = timed(&mut node).await;
    assert_eq!((changed, chains()), (0, after), "a daemon that starts anew finds all in order");
    let change = changes.into_iter().min().unwrap();
    eprintln!("500 networks: start {start:?}, one change {change:?}, start anew {restart:?}");
    assert!(start < START_LIMIT && restart < START_LIMIT, "{start:?}, {restart:?}");
    assert!(change < CHANGE_LIMIT, "{change:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn fifty_rules_change_at_one_moment() {
    if !own_namespace() {
        return;
    }
    let mut node = Node::new().await;
    for port in [100, 200] {
        let rules = fifty_rules(port);
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        node.has(7, network(&rules, &rules));
        let (changed, took) = timed(&mut node).await;
        assert_eq!(changed, 1);
        eprintln!("50 rules each way: {took:?}");
        let table = listing("table inet pvc");
        assert_eq!(table.matches("tcp dport").count() - 1, 100, "{table}");
        assert!(table.contains(&format!("tcp dport {} accept", port + 49)), "{table}");
    }
}
