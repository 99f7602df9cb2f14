//! Trees kept as text: a path in each line, then a blank and its data.
//!
//! `00.tree` is a small cluster of schema version 0, whole. Each `NN.diff` says what the step to
//! version `NN` adds (`+`) and takes away (`-`). `upstream-15.tree` is a cluster as upstream's
//! daemons leave it, with all their oddities.

use pvc_common::zk::migrate::{TreeImage, Znode};
use pvc_common::zk::schema::LATEST;
use pvc_common::zk::{Op, Version};

/// A cluster as upstream leaves it at version 15.
pub(crate) fn upstream() -> TreeImage {
    parse(include_str!("upstream-15.tree"))
}

const DIFFS: [&str; LATEST as usize] = [
    include_str!("01.diff"),
    include_str!("02.diff"),
    include_str!("03.diff"),
    include_str!("04.diff"),
    include_str!("05.diff"),
    include_str!("06.diff"),
    include_str!("07.diff"),
    include_str!("08.diff"),
    include_str!("09.diff"),
    include_str!("10.diff"),
    include_str!("11.diff"),
    include_str!("12.diff"),
    include_str!("13.diff"),
    include_str!("14.diff"),
    include_str!("15.diff"),
    include_str!("16.diff"),
    include_str!("17.diff"),
    include_str!("18.diff"),
    include_str!("19.diff"),
];

/// The small cluster at a version.
pub(crate) fn golden(version: u32) -> TreeImage {
    let mut tree = parse(include_str!("00.tree"));
    for line in DIFFS[..usize::try_from(version).unwrap()].iter().flat_map(|diff| diff.lines()) {
        let (path, data) = line[2..].split_once(' ').unwrap_or((&line[2..], ""));
        if line.starts_with('+') {
            assert!(tree.insert(path.to_owned(), znode(data)).is_none(), "twice: {line}");
        } else {
            assert!(tree.remove(path).is_some(), "not there: {line}");
        }
    }
    tree.insert("/schema/version".to_owned(), znode(&version.to_string()));
    tree
}

fn parse(text: &str) -> TreeImage {
    let znodes = text.lines().map(|line| {
        let (path, data) = line.split_once(' ').unwrap_or((line, ""));
        (path.to_owned(), znode(data))
    });
    znodes.collect()
}

fn znode(data: &str) -> Znode {
    Znode { data: data.into(), version: Version(0) }
}

/// What ZooKeeper would do with a transaction, refusing what it would refuse.
pub(crate) fn commit(tree: &mut TreeImage, ops: &[Op]) {
    for op in ops {
        let path = op.path();
        let at = |version: Version| {
            assert_eq!(tree.get(path).map(|znode| znode.version), Some(version), "{op:?}");
        };
        match op {
            Op::Create { data, .. } | Op::CreateEphemeral { data, .. } => {
                let (parent, _) = path.rsplit_once('/').unwrap();
                assert!(parent.is_empty() || tree.contains_key(parent), "no parent: {op:?}");
                let znode = Znode { data: data.clone(), version: Version(0) };
                assert!(tree.insert(path.to_owned(), znode).is_none(), "exists: {op:?}");
            }
            Op::Set { data, version, .. } => {
                at(*version);
                let version = Version(version.0 + 1);
                tree.insert(path.to_owned(), Znode { data: data.clone(), version });
            }
            Op::Delete { version, .. } => {
                at(*version);
                let below = format!("{path}/");
                assert!(!tree.keys().any(|at| at.starts_with(&below)), "not empty: {op:?}");
                tree.remove(path);
            }
            Op::Check { version, .. } => at(*version),
        }
    }
}
