//! Reading and transactions.

use pvc_common::zk::{Op, Version};
use pvc_zk::{CommitError, Entry, Tree, TreeError};

use crate::rig::{Rig, check, create, delete, set};

fn superseded(path: impl Into<String>) -> Result<(), CommitError> {
    Err(CommitError::Superseded { path: path.into() })
}

/// The path that was refused.
fn refused(outcome: Result<(), CommitError>) -> String {
    match outcome {
        Err(CommitError::Refused { path, .. }) => path,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub(crate) async fn what_is_written_is_read_with_its_version(rig: &mut impl Rig) {
    let (tree, a) = (rig.client().await, rig.at("a"));
    assert_eq!(tree.get(&a).await, Ok(None));
    tree.commit(vec![create(&a, "one")]).await.unwrap();
    tree.commit(vec![set(&a, "two", 0), set(&a, "three", 1)]).await.unwrap();
    let entry =
        Entry { data: b"three".to_vec(), version: Version(2), children: 0, ephemeral: false };
    assert_eq!(tree.get(&a).await, Ok(Some(entry)));
    tree.commit(vec![delete(&a, 2)]).await.unwrap();
    assert_eq!(tree.get(&a).await, Ok(None));
}

pub(crate) async fn many_are_read_in_order_and_absence_is_an_answer(rig: &mut impl Rig) {
    let tree = rig.client().await;
    let paths: Vec<String> = (0..3_000).map(|number| rig.at(&number.to_string())).collect();
    let even = paths.iter().step_by(2).map(|path| create(path, path));
    tree.commit(even.collect()).await.unwrap();
    let entries = tree.get_many(&paths).await.unwrap();
    let families = tree.children_many(&paths).await.unwrap();
    assert_eq!((entries.len(), families.len()), (paths.len(), paths.len()));
    for (number, path) in paths.iter().enumerate() {
        let data = entries[number].as_ref().map(|entry| &*entry.data);
        let exists = number % 2 == 0;
        assert_eq!(data, exists.then_some(path.as_bytes()), "{path}");
        assert_eq!(families[number], exists.then(Vec::new), "{path}");
    }
    assert_eq!(tree.get_many(&[]).await, Ok(Vec::new()));
}

pub(crate) async fn children_are_sorted_and_counted(rig: &mut impl Rig) {
    let tree = rig.client().await;
    let ops = ["c", "a", "b", "a/deeper"].map(|name| create(rig.at(name), ""));
    tree.commit(ops.to_vec()).await.unwrap();
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(tree.children(rig.root()).await, Ok(Some(names)));
    assert_eq!(tree.children(&rig.at("none")).await, Ok(None));
    let root = tree.get(rig.root()).await.unwrap().unwrap();
    assert_eq!(root.children, 3);
}

pub(crate) async fn a_transaction_happens_whole_or_not_at_all(rig: &mut impl Rig) {
    let (tree, a) = (rig.client().await, rig.at("a"));
    tree.commit(vec![create(&a, "")]).await.unwrap();
    let ops = vec![
        set(&a, "lost", 0),
        create(rig.at("a/b"), ""),
        delete(rig.at("a/b"), 0),
        create(rig.at("c"), ""),
        check(&a, 5),
    ];
    assert_eq!(tree.commit(ops).await, superseded(&a));
    let entry = tree.get(&a).await.unwrap().unwrap();
    assert_eq!((&*entry.data, entry.version), (&b""[..], Version(0)));
    assert_eq!(tree.children(rig.root()).await, Ok(Some(vec!["a".to_owned()])));
    assert_eq!(tree.commit(Vec::new()).await, Ok(()));
}

pub(crate) async fn a_superseded_commit_names_the_first_path_that_differs(rig: &mut impl Rig) {
    let (tree, a, none) = (rig.client().await, rig.at("a"), rig.at("none"));
    let ops = vec![create(&a, ""), create(rig.at("a/b"), "")];
    tree.commit(ops).await.unwrap();
    let good = || check(rig.at("a/b"), 0);
    for (bad, path) in [
        (set(&a, "", 1), &a),
        (create(&a, ""), &a),
        (delete(&a, 1), &a),
        (delete(&a, 0), &a), // has a child
        (check(&a, 1), &a),
        (set(&none, "", 0), &none),
        (delete(&none, 0), &none),
        (check(&none, 0), &none),
    ] {
        let ops = vec![good(), bad.clone(), good(), set(&none, "", 9)];
        assert_eq!(tree.commit(ops).await, superseded(path), "{bad:?}");
    }
}

pub(crate) async fn a_missing_or_ephemeral_parent_is_refused(rig: &mut impl Rig) {
    let (tree, orphan) = (rig.client().await, rig.at("none/orphan"));
    assert_eq!(refused(tree.commit(vec![create(&orphan, "")]).await), orphan);
    let (path, data) = (rig.at("brief"), Vec::new());
    let ops = vec![Op::CreateEphemeral { path, data }];
    tree.commit(ops).await.unwrap();
    let child = rig.at("brief/child");
    assert_eq!(refused(tree.commit(vec![create(&child, "")]).await), child);
    let entry = tree.get(&rig.at("brief")).await.unwrap().unwrap();
    assert!(entry.ephemeral);
}

pub(crate) async fn what_no_server_would_do_is_refused_unasked(rig: &mut impl Rig) {
    let tree = rig.client().await;
    let huge = "x".repeat(1_100_000);
    for op in [
        create(rig.at("huge"), &huge),
        create("/", ""),
        delete("/", 0),
        create("relative", ""),
        create(rig.at(""), ""),
        set(rig.root(), "", -1),
    ] {
        let path = op.path().to_owned();
        assert_eq!(refused(tree.commit(vec![op]).await), path);
    }
    let nonsense = tree.get("//").await;
    assert!(matches!(nonsense, Err(TreeError::Refused { .. })), "{nonsense:?}");
    // And the connection is none the worse for it.
    tree.commit(vec![create(rig.at("a"), "")]).await.unwrap();
}

pub(crate) async fn places_in_a_queue_have_rising_numbers(rig: &mut impl Rig) {
    let (tree, other) = (rig.client().await, rig.client().await);
    let first = tree.enlist(&rig.at("x-"), b"me".to_vec()).await.unwrap();
    let second = other.enlist(&rig.at("a-"), Vec::new()).await.unwrap();
    let number = |path: &str| path[path.len() - 10..].parse::<u32>().unwrap();
    assert!(first.path.starts_with(&rig.at("x-")));
    assert!(number(&first.path) < number(&second.path));
    assert_eq!(tree.session().borrow().live(), Some(first.epoch));
    let entry = tree.get(&first.path).await.unwrap().unwrap();
    assert_eq!((&*entry.data, entry.ephemeral), (&b"me"[..], true));
}
