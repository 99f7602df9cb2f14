//! Watches of branches.

use std::collections::BTreeSet;
use std::time::Duration;

use pvc_zk::{Change, CommitError, Tree};

use crate::rig::{Rig, create, delete, live, next, set, touched};

pub(crate) async fn a_watch_begins_with_a_resync_and_reports_what_changes_below(
    rig: &mut impl Rig,
) {
    let (tree, other, a) = (rig.client().await, rig.client().await, rig.at("a"));
    let mut changes = tree.watch(&a);
    assert_eq!(next(&mut changes).await, Change::Resync);
    // A longer name is not below; the watched znode need not exist before.
    other.commit(vec![create(rig.at("ab"), "")]).await.unwrap();
    for (ops, path) in [
        (vec![create(&a, "")], "a"),
        (vec![create(rig.at("a/b"), "")], "a/b"),
        (vec![create(rig.at("a/b/c"), "")], "a/b/c"),
        (vec![set(rig.at("a/b"), "x", 0)], "a/b"),
        (vec![delete(rig.at("a/b/c"), 0)], "a/b/c"),
    ] {
        other.commit(ops).await.unwrap();
        assert_eq!(next(&mut changes).await, touched(rig.at(path)));
    }
    let both = vec![delete(rig.at("a/b"), 1), delete(&a, 0)];
    other.commit(both).await.unwrap();
    let seen = BTreeSet::from([
        format!("{:?}", next(&mut changes).await),
        format!("{:?}", next(&mut changes).await),
    ]);
    let expected = ["a", "a/b"].map(|name| format!("{:?}", touched(rig.at(name))));
    assert_eq!(seen, BTreeSet::from(expected));
}

pub(crate) async fn watches_of_one_branch_do_not_disturb_each_other(rig: &mut impl Rig) {
    let tree = rig.client().await;
    let (mut one, mut two) = (tree.watch(rig.root()), tree.watch(rig.root()));
    assert_eq!(next(&mut one).await, Change::Resync);
    assert_eq!(next(&mut two).await, Change::Resync);
    drop(one);
    for name in ["a", "b", "c"] {
        tree.commit(vec![create(rig.at(name), "")]).await.unwrap();
        assert_eq!(next(&mut two).await, touched(rig.at(name)));
    }
    let mut three = tree.watch(rig.root());
    assert_eq!(next(&mut three).await, Change::Resync);
    tree.commit(vec![create(rig.at("d"), "")]).await.unwrap();
    assert_eq!(next(&mut two).await, touched(rig.at("d")));
    assert_eq!(next(&mut three).await, touched(rig.at("d")));
}

pub(crate) async fn a_new_session_brings_a_resync_and_further_changes(rig: &mut impl Rig) {
    let (tree, other) = (rig.mortal().await, rig.client().await);
    let mut changes = tree.watch(rig.root());
    assert_eq!(next(&mut changes).await, Change::Resync);
    let epoch = live(&tree).await;
    rig.expire(&tree).await;
    assert_eq!(next(&mut changes).await, Change::Resync);
    assert!(live(&tree).await > epoch);
    other.commit(vec![create(rig.at("a"), "")]).await.unwrap();
    assert_eq!(next(&mut changes).await, touched(rig.at("a")));
}

pub(crate) async fn no_change_is_lost_when_the_server_is_killed(rig: &mut impl Rig) {
    const WRITES: i32 = 300;
    let (tree, writer, a) = (rig.client().await, rig.client().await, rig.at("a"));
    writer.commit(vec![create(&a, "")]).await.unwrap();
    let mut changes = tree.watch(rig.root());
    let writing = {
        let (writer, a) = (writer.clone(), a.clone());
        tokio::spawn(async move {
            let mut version = 0;
            while version < WRITES {
                match writer.commit(vec![set(&a, "", version)]).await {
                    Ok(()) | Err(CommitError::Unknown { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
                version = writer.get(&a).await.unwrap().unwrap().version.0;
                // Slow enough to be under way when the server is killed.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    };
    // Twice in the midst of it.
    for half in [WRITES / 3, 2 * WRITES / 3] {
        while tree.get(&a).await.unwrap().unwrap().version.0 < half {
            next(&mut changes).await;
        }
        rig.interrupt(&[&tree, &writer]).await;
    }
    writing.await.unwrap();
    // Whoever reads at each change, and only then, sees the last write.
    let mut seen = 0;
    while seen < WRITES {
        next(&mut changes).await;
        seen = tree.get(&a).await.unwrap().unwrap().version.0;
    }
}
