//! Work on whole branches.

use pvc_common::zk::Op;
use pvc_zk::dump::{Progress, dump, restore};
use pvc_zk::subtree::{copy, delete_recursive, ensure_path, rename};
use pvc_zk::{CommitError, SubtreeError, Tree};

use crate::rig::{Rig, create, set};

/// A branch of four znodes at `from`.
async fn plant<R: Rig>(rig: &R, tree: &R::Tree) {
    let names = ["from", "from/a", "from/a/b", "from/c"];
    let ops = names.map(|name| create(rig.at(name), name));
    tree.commit(ops.to_vec()).await.unwrap();
}

async fn data(tree: &impl Tree, path: &str) -> Option<String> {
    let entry = tree.get(path).await.unwrap()?;
    Some(String::from_utf8(entry.data).unwrap())
}

pub(crate) async fn a_branch_is_copied_renamed_and_deleted(rig: &mut impl Rig) {
    let tree = rig.client().await;
    plant(rig, &tree).await;
    let path = rig.at("from/brief");
    let brief = Op::CreateEphemeral { path, data: Vec::new() };
    tree.commit(vec![brief]).await.unwrap();
    assert_eq!(copy(&tree, &rig.at("from"), &rig.at("copy")).await, Ok(4));
    assert_eq!(rename(&tree, &rig.at("from"), &rig.at("to")).await, Ok(4));
    for root in ["copy", "to"] {
        let leaf = rig.at(&format!("{root}/a/b"));
        assert_eq!(data(&tree, &leaf).await.as_deref(), Some("from/a/b"));
        assert_eq!(data(&tree, &rig.at(&format!("{root}/brief"))).await, None);
        assert_eq!(delete_recursive(&tree, &rig.at(root)).await, Ok(4));
        assert_eq!(delete_recursive(&tree, &rig.at(root)).await, Ok(0));
    }
    assert_eq!(tree.children(rig.root()).await, Ok(Some(Vec::new())));
}

pub(crate) async fn a_rename_onto_something_is_superseded_and_changes_nothing(rig: &mut impl Rig) {
    let tree = rig.client().await;
    plant(rig, &tree).await;
    tree.commit(vec![create(rig.at("to"), "")]).await.unwrap();
    let superseded = CommitError::Superseded { path: rig.at("to") };
    let outcome = rename(&tree, &rig.at("from"), &rig.at("to")).await;
    assert_eq!(outcome, Err(SubtreeError::Write(superseded)));
    assert_eq!(data(&tree, &rig.at("from/a/b")).await.as_deref(), Some("from/a/b"));
    assert_eq!(tree.children(&rig.at("to")).await, Ok(Some(Vec::new())));
}

pub(crate) async fn a_path_is_made_sure_of_by_many_at_once(rig: &mut impl Rig) {
    let mut builders = Vec::new();
    for _ in 0..5 {
        let (tree, path) = (rig.client().await, rig.at("a/b/c/d"));
        builders.push(tokio::spawn(async move { ensure_path(&tree, &path).await }));
    }
    for builder in builders {
        assert_eq!(builder.await.unwrap(), Ok(()));
    }
    assert_eq!(data(&rig.client().await, &rig.at("a/b/c/d")).await.as_deref(), Some(""));
}

pub(crate) async fn a_large_dump_is_restored_over_what_is_there(rig: &mut impl Rig) {
    let tree = rig.client().await;
    plant(rig, &tree).await;
    let big = "x".repeat(400_000);
    for name in ["from/big1", "from/big2", "from/big3", "from/skipped"] {
        tree.commit(vec![create(rig.at(name), &big)]).await.unwrap();
    }
    let before = dump(&tree, &rig.at("from"), |path| path.ends_with("skipped")).await.unwrap();
    let paths: Vec<&str> = before.iter().map(|znode| &*znode.path).collect();
    let names = ["from", "from/a", "from/a/b", "from/big1", "from/big2", "from/big3", "from/c"];
    assert_eq!(paths, names.map(|name| rig.at(name)));

    tree.commit(vec![set(rig.at("from/a/b"), "overwritten", 0)]).await.unwrap();
    delete_recursive(&tree, &rig.at("from/big2")).await.unwrap();
    let mut progress = Vec::new();
    restore(&tree, &before, |step: Progress| progress.push(step.done)).await.unwrap();
    assert_eq!(progress.last(), Some(&7));
    assert!(progress.len() > 1, "in several transactions: {progress:?}");
    let after = dump(&tree, &rig.at("from"), |path| path.ends_with("skipped")).await;
    assert!(after == Ok(before));

    // Into an empty tree, too.
    let dumped = after.unwrap();
    delete_recursive(&tree, &rig.at("from")).await.unwrap();
    restore(&tree, &dumped, |_| {}).await.unwrap();
    let again = dump(&tree, &rig.at("from"), |_| false).await;
    assert!(again == Ok(dumped));
}
