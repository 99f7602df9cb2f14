//! Work on whole branches: read, copy, rename, delete, make sure of.

use pvc_common::zk::Op;

use crate::error::{CommitError, SubtreeError, TreeError};
use crate::path::{TRANSACTION_LIMIT, parent, weight};
use crate::tree::{Entry, Tree};
use crate::walk::{Visitor, walk};

/// A branch as it was read; what is written from it is guarded by the versions seen.
///
/// Lock contenders are left out. So is nothing else: a branch of a VM with its history is small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    root: String,
    /// Parents come before their children.
    znodes: Vec<(String, Entry)>,
}

impl Branch {
    /// Reads everything at and below `root`; empty if there is no such znode.
    ///
    /// # Errors
    /// As [`Tree::get_many`].
    pub async fn read(tree: &impl Tree, root: &str) -> Result<Self, TreeError> {
        let mut znodes = Znodes(Vec::new());
        walk(tree, root, &mut znodes).await?;
        // A parent's path is a prefix of its children's.
        znodes.0.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Self { root: root.to_owned(), znodes: znodes.0 })
    }

    /// Every znode with its path, parents before their children.
    #[must_use]
    pub fn znodes(&self) -> &[(String, Entry)] {
        &self.znodes
    }

    /// Deletes the branch as it was read, children before their parents.
    #[must_use]
    pub fn deletes(&self) -> Vec<Op> {
        let delete = |(path, entry): &(String, Entry)| Op::Delete {
            path: path.clone(),
            version: entry.version,
        };
        self.znodes.iter().rev().map(delete).collect()
    }

    /// Fails the transaction if the data of a znode changed since it was read.
    ///
    /// Znodes that were added are not noticed.
    #[must_use]
    pub fn checks(&self) -> Vec<Op> {
        let check = |(path, entry): &(String, Entry)| Op::Check {
            path: path.clone(),
            version: entry.version,
        };
        self.znodes.iter().map(check).collect()
    }

    /// Creates the same branch at `to`, parents first, without what is ephemeral.
    #[must_use]
    pub fn creates(&self, to: &str) -> Vec<Op> {
        let lasting = self.znodes.iter().filter(|(_, entry)| !entry.ephemeral);
        let create = |(path, entry): &(String, Entry)| Op::Create {
            path: format!("{to}{}", &path[self.root.len()..]),
            data: entry.data.clone(),
        };
        lasting.map(create).collect()
    }
}

struct Znodes(Vec<(String, Entry)>);

impl Visitor for Znodes {
    fn wants(&self, _path: &str) -> bool {
        true
    }

    fn visit(&mut self, path: &str, entry: Entry) {
        self.0.push((path.to_owned(), entry));
    }
}

/// Deletes `root` and everything below it; returns how many znodes. Absence is success.
///
/// Atomic unless the branch exceeds one transaction (1 MB of paths): then children go first, and
/// what fails midway can be repeated.
///
/// # Errors
/// [`CommitError::Superseded`] if something below changed meanwhile.
pub async fn delete_recursive(tree: &impl Tree, root: &str) -> Result<usize, SubtreeError> {
    let branch = Branch::read(tree, root).await?;
    for batch in batches(branch.deletes()) {
        tree.commit(batch).await?;
    }
    Ok(branch.znodes.len())
}

/// Copies a branch in one transaction; returns how many znodes. What is ephemeral is left out.
///
/// # Errors
/// [`CommitError::Superseded`] if `to` exists or `from` changed meanwhile;
/// [`CommitError::Refused`] if it exceeds one transaction or the parent of `to` is missing.
pub async fn copy(tree: &impl Tree, from: &str, to: &str) -> Result<usize, SubtreeError> {
    let branch = Branch::read(tree, from).await?;
    let mut ops = branch.creates(to);
    let created = ops.len();
    ops.extend(branch.checks());
    tree.commit(ops).await?;
    Ok(created)
}

/// Moves a branch in one transaction; returns how many znodes. What is ephemeral vanishes.
///
/// # Errors
/// As [`copy`].
pub async fn rename(tree: &impl Tree, from: &str, to: &str) -> Result<usize, SubtreeError> {
    let branch = Branch::read(tree, from).await?;
    let mut ops = branch.creates(to);
    let created = ops.len();
    ops.extend(branch.deletes());
    tree.commit(ops).await?;
    Ok(created)
}

/// Makes sure that `path` exists, with its parents; what is missing is created empty.
///
/// # Errors
/// As [`Tree::get_many`] and [`Tree::commit`], but for losing a race to create the same.
pub async fn ensure_path(tree: &impl Tree, path: &str) -> Result<(), SubtreeError> {
    let mut line: Vec<String> = Vec::new();
    let mut next = Some(path);
    while let Some(path) = next {
        line.push(path.to_owned());
        next = parent(path);
    }
    line.reverse();
    loop {
        let found = tree.get_many(&line).await?;
        let missing = line.iter().zip(&found).filter(|(_, entry)| entry.is_none());
        let create = |path: &String| Op::Create { path: path.clone(), data: Vec::new() };
        let ops = missing.map(|(path, _)| create(path)).collect();
        match tree.commit(ops).await {
            Ok(()) => return Ok(()),
            // Somebody else created part of it: each time, less is missing.
            Err(CommitError::Superseded { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Splits operations into transactions that the server takes, keeping their order.
pub(crate) fn batches(ops: Vec<Op>) -> Vec<Vec<Op>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for op in ops {
        let more = weight(&op);
        if bytes + more > TRANSACTION_LIMIT && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += more;
        batch.push(op);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}
