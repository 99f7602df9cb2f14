//! Locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pvc_zk::lock::acquire;
use pvc_zk::{Change, CommitError, LockError, Tree};

use crate::rig::{LIMIT, Rig, create, delete, next};

/// Waits until nobody is in the queue.
async fn queue_is_empty(tree: &impl Tree, lock: &str) {
    let mut changes = tree.watch(lock);
    while tree.children(lock).await.unwrap() != Some(Vec::new()) {
        next(&mut changes).await;
    }
}

pub(crate) async fn of_many_contenders_one_holds_at_a_time(rig: &mut impl Rig) {
    let inside = Arc::new(AtomicU32::new(0));
    let mut contenders = Vec::new();
    for number in 0..6 {
        let (tree, lock) = (rig.client().await, rig.at("lock"));
        let inside = Arc::clone(&inside);
        contenders.push(tokio::spawn(async move {
            for _ in 0..5 {
                let held = acquire(&tree, &lock, &number.to_string(), LIMIT).await.unwrap();
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                assert!(held.is_valid());
                inside.fetch_sub(1, Ordering::SeqCst);
                held.release().await.unwrap();
            }
        }));
    }
    for contender in contenders {
        contender.await.unwrap();
    }
    queue_is_empty(&rig.client().await, &rig.at("lock")).await;
}

pub(crate) async fn whoever_gives_up_is_told_who_holds_and_leaves_the_queue(rig: &mut impl Rig) {
    let (tree, other, lock) = (rig.client().await, rig.client().await, rig.at("lock"));
    let held = acquire(&tree, &lock, "hv1", LIMIT).await.unwrap();
    let impatient = acquire(&other, &lock, "hv2", Duration::from_millis(300)).await;
    match impatient {
        Err(LockError::Busy { path, holder, .. }) => {
            assert_eq!((path, &*holder), (lock.clone(), "hv1"))
        }
        outcome => panic!("{outcome:?}"),
    }
    held.release().await.unwrap();
    queue_is_empty(&tree, &lock).await;
}

pub(crate) async fn a_lock_ends_with_its_session(rig: &mut impl Rig) {
    let (tree, other, lock) = (rig.mortal().await, rig.client().await, rig.at("lock"));
    let held = acquire(&tree, &lock, "hv1", LIMIT).await.unwrap();
    assert!(held.is_valid());
    let waiting = tokio::spawn({
        let lock = lock.clone();
        async move { acquire(&other, &lock, "hv2", LIMIT).await.unwrap() }
    });
    rig.expire(&tree).await;
    held.lost().await;
    assert!(!held.is_valid());
    let next = waiting.await.unwrap();
    assert!(next.is_valid());
    // Giving back what is lost takes nothing from the next holder.
    held.release().await.unwrap();
    assert!(next.is_valid());
    next.release().await.unwrap();
}

pub(crate) async fn a_transaction_with_proof_fails_without_the_lock(rig: &mut impl Rig) {
    let (tree, lock, a) = (rig.client().await, rig.at("lock"), rig.at("a"));
    let held = acquire(&tree, &lock, "hv1", LIMIT).await.unwrap();
    let proof = held.proof();
    tree.commit(vec![proof.clone(), create(&a, "")]).await.unwrap();
    held.release().await.unwrap();
    let late = tree.commit(vec![proof.clone(), delete(&a, 0)]).await;
    let path = proof.path().to_owned();
    assert_eq!(late, Err(CommitError::Superseded { path }));
}

pub(crate) async fn a_dropped_lock_is_released(rig: &mut impl Rig) {
    let (tree, lock) = (rig.client().await, rig.at("lock"));
    drop(acquire(&tree, &lock, "hv1", LIMIT).await.unwrap());
    let again = acquire(&tree, &lock, "hv1", LIMIT).await.unwrap();
    // A contender that is dropped while it waits leaves, too.
    let waiting = acquire(&tree, &lock, "hv2", LIMIT);
    let _ = tokio::time::timeout(Duration::from_millis(100), waiting).await;
    drop(again);
    queue_is_empty(&tree, &lock).await;
}

pub(crate) async fn a_contender_of_upstream_goes_first(rig: &mut impl Rig) {
    let (tree, other, lock) = (rig.client().await, rig.client().await, rig.at("lock"));
    tree.commit(vec![create(&lock, "")]).await.unwrap();
    for mark in ["__lock__", "__rlock__"] {
        let prefix = format!("{lock}/00000000000000000000000000000000{mark}");
        let theirs = other.enlist(&prefix, b"hv9".to_vec()).await.unwrap();
        let mut changes = other.watch(&lock);
        assert_eq!(next(&mut changes).await, Change::Resync);
        let waiting = tokio::spawn({
            let (tree, lock) = (tree.clone(), lock.clone());
            async move { acquire(&tree, &lock, "hv1", LIMIT).await.unwrap() }
        });
        // It is in the queue, and does not hold.
        next(&mut changes).await;
        assert!(!waiting.is_finished());
        other.commit(vec![delete(&theirs.path, 0)]).await.unwrap();
        waiting.await.unwrap().release().await.unwrap();
    }
}
