//! What the fake's switches let tests of others see.

use std::time::Duration;

use pvc_common::zk::{Op, Version};
use pvc_zk::lock::acquire;
use pvc_zk::{
    Change, CommitError, CommitFault, FakeTree, LockError, SubtreeError, Tree, TreeError,
};
use tokio::time::Instant;

fn create(path: &str) -> Vec<Op> {
    let (path, data) = (path.to_owned(), Vec::new());
    vec![Op::Create { path, data }]
}

fn is_unknown(outcome: &Result<(), CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Unknown { .. }))
}

#[tokio::test]
async fn an_unknown_commit_was_done_or_lost() {
    let tree = FakeTree::new();
    tree.fail_commit(CommitFault::UnknownButDone);
    tree.fail_commit(CommitFault::UnknownAndLost);
    assert!(is_unknown(&tree.commit(create("/a")).await));
    assert!(is_unknown(&tree.commit(create("/b")).await));
    assert_eq!(tree.commit(create("/c")).await, Ok(()));
    let names = ["a", "c"].map(str::to_owned).to_vec();
    assert_eq!(tree.children("/").await, Ok(Some(names)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_longer_than_the_limit_is_not_answered() {
    let tree = FakeTree::new();
    tree.slow(Duration::from_secs(2));
    let began = Instant::now();
    assert_eq!(tree.get("/a").await, Ok(None));
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    tree.slow(Duration::from_secs(60));
    let waited = Duration::from_secs(5);
    let path = "/a".to_owned();
    assert_eq!(tree.get("/a").await, Err(TreeError::NoAnswer { path, waited }));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_the_next_session() {
    let tree = FakeTree::new();
    let mut changes = tree.watch("/");
    assert_eq!(changes.recv().await, Some(Change::Resync));
    tree.end_session();
    let writing = tokio::spawn({
        let tree = tree.clone();
        async move { tree.commit(create("/a")).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!writing.is_finished());
    tree.begin_session();
    assert_eq!(writing.await.unwrap(), Ok(()));
    assert_eq!(changes.recv().await, Some(Change::Resync));
}

#[tokio::test]
async fn a_suspended_client_misses_what_happens_until_its_resync() {
    let tree = FakeTree::new();
    let other = tree.another();
    let mut changes = tree.watch("/");
    assert_eq!(changes.recv().await, Some(Change::Resync));
    tree.suspend();
    other.commit(create("/missed")).await.unwrap();
    tree.resume();
    assert_eq!(changes.recv().await, Some(Change::Resync));
    other.commit(create("/seen")).await.unwrap();
    assert_eq!(changes.recv().await, Some(Change::Touched("/seen".to_owned())));
}

#[tokio::test]
async fn a_place_whose_creation_went_unanswered_is_given_up() {
    let tree = FakeTree::new();
    tree.commit(create("/lock")).await.unwrap();
    tree.fail_commit(CommitFault::UnknownButDone);
    let outcome = acquire(&tree, "/lock", "hv1", Duration::from_secs(9)).await;
    assert!(
        matches!(outcome, Err(LockError::Tree(SubtreeError::Write(CommitError::Unknown { .. })))),
        "{outcome:?}"
    );
    // Nobody else waits for the place that nobody knows of.
    let held = acquire(&tree.another(), "/lock", "hv2", Duration::from_secs(9)).await;
    assert!(held.unwrap().is_valid());
}

#[tokio::test]
async fn a_release_that_went_unanswered_is_tried_again() {
    let tree = FakeTree::new();
    let held = acquire(&tree, "/lock", "hv1", Duration::from_secs(9)).await.unwrap();
    tree.fail_commit(CommitFault::UnknownAndLost);
    assert!(is_unknown(&held.release().await));
    let next = acquire(&tree.another(), "/lock", "hv2", Duration::from_secs(9)).await;
    assert!(next.unwrap().is_valid());
}

#[tokio::test]
async fn a_transaction_that_fails_midway_leaves_versions_as_they_were() {
    let tree = FakeTree::new();
    tree.commit(create("/a")).await.unwrap();
    let set = |version| Op::Set {
        path: "/a".to_owned(),
        data: b"new".to_vec(),
        version: Version(version),
    };
    let outcome = tree.commit(vec![set(0), set(1), set(7)]).await;
    let path = "/a".to_owned();
    assert_eq!(outcome, Err(CommitError::Superseded { path }));
    let entry = tree.get("/a").await.unwrap().unwrap();
    assert_eq!((entry.version, entry.data), (Version(0), Vec::new()));
}
