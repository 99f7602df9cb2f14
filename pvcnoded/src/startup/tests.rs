//! Joining a cluster in every state it may be found in, on a tree in memory.

use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::zk::{Expected, Op, Version, key};
use pvc_host::fake::FakeHost;
use pvc_zk::{FakeTree, Tree};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::join::{await_session, settle_schema, write_cluster_name};
use super::ready::Machine;
use crate::config::Config;

const SOON: Duration = Duration::from_secs(5);

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

async fn put(tree: &FakeTree, path: &str, text: &str) {
    let expected = match tree.get(path).await.unwrap() {
        Some(entry) => Expected::Version(entry.version),
        None => Expected::Absent,
    };
    tree.commit(vec![Op::put(path, text, expected)]).await.unwrap();
}

async fn text(tree: &FakeTree, path: &str) -> String {
    String::from_utf8(tree.get(path).await.unwrap().unwrap().data).unwrap()
}

/// A cluster of the given layout whose other nodes know these.
async fn cluster(tree: &FakeTree, version: &str, known: &[(&str, &str)]) {
    for path in [key::SCHEMA, key::CONFIG, key::NODES] {
        put(tree, path, "").await;
    }
    for (name, latest) in known {
        put(tree, key::node(&node(name)).path(), "coordinator").await;
        put(tree, key::node_latest_schema(&node(name)).path(), latest).await;
    }
    put(tree, key::schema_version().path(), version).await;
}

fn settling(tree: &FakeTree) -> JoinHandle<u32> {
    let tree = tree.clone();
    tokio::spawn(async move { settle_schema(&tree, &node("hv1"), 16).await })
}

#[tokio::test(start_paused = true)]
async fn a_daemon_waits_until_there_is_a_cluster() {
    let tree = FakeTree::new();
    let settling = settling(&tree);
    sleep(Duration::from_secs(3_600)).await;
    assert!(!settling.is_finished());
    cluster(&tree.another(), "16", &[]).await;
    assert_eq!(timeout(SOON, settling).await.unwrap().unwrap(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_too_old_waits_to_be_upgraded() {
    let tree = FakeTree::new();
    cluster(&tree, "17", &[]).await;
    let settling = settling(&tree);
    sleep(Duration::from_secs(3_600)).await;
    assert!(!settling.is_finished());
    put(&tree, "/schema/version", "16").await;
    assert_eq!(timeout(SOON, settling).await.unwrap().unwrap(), 16);
}

#[tokio::test(start_paused = true)]
async fn the_last_upgraded_node_raises_the_layout_of_all() {
    let tree = FakeTree::new();
    cluster(&tree, "15", &[("hv2", "16"), ("hv3", "15")]).await;
    assert_eq!(settling(&tree).await.unwrap(), 15);
    assert_eq!(text(&tree, "/schema/version").await, "15");
    put(&tree, "/nodes/hv3/latestschema", "16").await;
    assert_eq!(settling(&tree).await.unwrap(), 16);
    assert_eq!(text(&tree, "/schema/version").await, "16");
    assert_eq!(tree.children("/schema/version").await.unwrap(), Some(vec![]), "the lock is free");
}

#[tokio::test(start_paused = true)]
async fn two_nodes_that_raise_at_once_agree() {
    let tree = FakeTree::new();
    cluster(&tree, "15", &[("hv2", "16")]).await;
    let (first, second) = (settling(&tree), settling(&tree.another()));
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (16, 16));
    let entry = tree.get("/schema/version").await.unwrap().unwrap();
    assert_eq!((entry.data, entry.version), (b"16".to_vec(), Version(1)));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_waited_for() {
    let tree = FakeTree::new();
    tree.end_session();
    let waiting = tokio::spawn({
        let tree = tree.clone();
        async move { await_session(&tree, &["hv1:2181".to_owned()], async |again| again).await }
    });
    sleep(Duration::from_secs(3_600)).await;
    assert!(!waiting.is_finished());
    tree.begin_session();
    assert!(timeout(SOON, waiting).await.unwrap().unwrap());
}

#[tokio::test]
async fn a_host_that_has_a_session_is_made_ready_once() {
    let tree = FakeTree::new();
    assert!(!await_session(&tree, &["hv1:2181".to_owned()], async |again| again).await);
}

/// The card of the cluster's network comes late, and ZooKeeper did not start the first time.
#[tokio::test(start_paused = true)]
async fn without_a_session_the_host_is_made_ready_again() {
    let (tree, host) = (FakeTree::new(), FakeHost::new());
    tree.end_session();
    let text = include_str!("../../tests/manual.yaml");
    let config = Config::check(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    host.install_broken_unit("zookeeper.service");
    let machine = Machine { links: &host, settings: &host, units: &host };
    let ready = async |again| machine.make_ready(&config, again).await;
    let members = ["hv1:2181".to_owned()];
    let mut waiting = std::pin::pin!(await_session(&tree, &members, ready));
    timeout(Duration::from_secs(300), &mut waiting).await.unwrap_err();
    assert!(host.running_units().is_empty());
    host.mend_unit("zookeeper.service");
    host.plug_in("ens4");
    timeout(Duration::from_secs(31), &mut waiting).await.unwrap_err();
    assert_eq!(host.running_units(), ["zookeeper.service"]);
    assert_eq!(host.links().links["brcluster"].addresses.len(), 2);
    tree.begin_session();
    assert!(timeout(SOON, waiting).await.unwrap());
}

#[tokio::test]
async fn the_configured_name_is_written_once() {
    let tree = FakeTree::new();
    put(&tree, key::CONFIG, "").await;
    for _ in 0..2 {
        write_cluster_name(&tree, "lab").await;
    }
    let entry = tree.get(key::CONFIG).await.unwrap().unwrap();
    assert_eq!((entry.data, entry.version), (b"lab".to_vec(), Version(1)));
}
