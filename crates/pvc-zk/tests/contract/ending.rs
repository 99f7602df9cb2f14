//! What only a real server shows: how a process's session ends, breaks, and fails to begin.

use std::time::{Duration, Instant};

use pvc_common::zk::Op;
use pvc_zk::testing::services_are_unwanted;
use pvc_zk::{CommitError, Session, Settings, Tree, TreeError, ZkTree};

use crate::rig::{Real, Rig, next};

/// A client with something ephemeral, somebody who watches it, and where it is.
async fn with_something_brief(rig: &Real) -> (ZkTree, ZkTree, String) {
    let (tree, other, path) = (rig.client().await, rig.client().await, rig.at("brief"));
    let data = Vec::new();
    let brief = Op::CreateEphemeral { path: path.clone(), data };
    tree.commit(vec![brief]).await.unwrap();
    (tree, other, path)
}

/// Waits until it is gone; sessions of this suite time out much later than this may take.
async fn vanishes_at_once(tree: &ZkTree, path: &str) {
    let began = Instant::now();
    let mut changes = tree.watch(path);
    while tree.get(path).await.unwrap().is_some() {
        next(&mut changes).await;
    }
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn what_is_ephemeral_vanishes_when_the_session_is_closed_or_dropped() {
    if services_are_unwanted() {
        return;
    }
    let mut rig = Real::start().await;
    rig.enter("closed").await;
    let (tree, other, path) = with_something_brief(&rig).await;
    let mut changes = tree.watch(&path);
    tree.close().await;
    vanishes_at_once(&other, &path).await;
    assert_eq!(*tree.session().borrow(), Session::Connecting);
    let read = tree.get(&path).await;
    assert!(matches!(read, Err(TreeError::Refused { .. })), "{read:?}");
    while changes.recv().await.is_some() {}

    rig.enter("dropped").await;
    let (tree, other, path) = with_something_brief(&rig).await;
    drop(tree);
    vanishes_at_once(&other, &path).await;
}

/// The client library goes on calling a connection good that broke just after it was made.
#[tokio::test]
async fn a_session_is_not_called_live_when_its_server_dies_at_once() {
    if services_are_unwanted() {
        return;
    }
    let mut rig = Real::start().await;
    let tree = rig.client().await;
    for round in 0..8 {
        let began = Instant::now();
        rig.interrupt(&[&tree]).await;
        // Far less than it takes until the session has ended for certain.
        assert!(began.elapsed() < Duration::from_secs(30), "round {round}");
    }
    assert_eq!(*tree.session().borrow(), Session::Live { epoch: 1 });
}

#[tokio::test]
async fn without_a_server_calls_end_at_their_limit() {
    for host in ["127.0.0.1:1", "no.such.host.invalid:2181", "malformed:port"] {
        let settings = Settings { call_limit: Duration::from_millis(200), ..Settings::default() };
        let tree = ZkTree::connect(vec![host.to_owned()], settings);
        let path = "/a".to_owned();
        let waited = settings.call_limit;
        let no_answer = TreeError::NoAnswer { path, waited };
        assert_eq!(tree.get("/a").await, Err(no_answer), "{host}");
        let create = crate::rig::create("/a", "");
        let write = tree.commit(vec![create]).await;
        assert!(matches!(write, Err(CommitError::Unknown { .. })), "{write:?}");
        tree.close().await;
    }
}
