//! The ZooKeeper tree behind a pointer, so that handlers need not be generic over it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use pvc_common::zk::Op;
use pvc_zk::dump::{self, Dumped};
use pvc_zk::subtree::{self, Branch};
use pvc_zk::{CommitError, Entry, SubtreeError, Tree, TreeError};

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The part of [`Tree`] that requests need, usable behind a pointer.
trait Erased: Send + Sync {
    fn get_many<'a>(
        &'a self,
        paths: &'a [String],
    ) -> Answer<'a, Result<Vec<Option<Entry>>, TreeError>>;

    fn branch<'a>(&'a self, root: &'a str) -> Answer<'a, Result<Branch, TreeError>>;

    fn dump<'a>(&'a self, skip: &'a [String]) -> Answer<'a, Result<Vec<Dumped>, TreeError>>;

    fn restore<'a>(&'a self, dump: &'a [Dumped]) -> Answer<'a, Result<(), SubtreeError>>;

    fn clear<'a>(&'a self, root: &'a str) -> Answer<'a, Result<usize, SubtreeError>>;

    fn commit(&self, ops: Vec<Op>) -> Answer<'_, Result<(), CommitError>>;
}

impl<T: Tree> Erased for T {
    fn get_many<'a>(
        &'a self,
        paths: &'a [String],
    ) -> Answer<'a, Result<Vec<Option<Entry>>, TreeError>> {
        Box::pin(Tree::get_many(self, paths))
    }

    fn branch<'a>(&'a self, root: &'a str) -> Answer<'a, Result<Branch, TreeError>> {
        Box::pin(Branch::read(self, root))
    }

    fn dump<'a>(&'a self, skip: &'a [String]) -> Answer<'a, Result<Vec<Dumped>, TreeError>> {
        Box::pin(dump::dump(self, "/", |path| skip.iter().any(|skipped| skipped == path)))
    }

    fn restore<'a>(&'a self, dump: &'a [Dumped]) -> Answer<'a, Result<(), SubtreeError>> {
        Box::pin(dump::restore(self, dump, |progress| {
            tracing::info!("restore: {} of {} keys written", progress.done, progress.total);
        }))
    }

    fn clear<'a>(&'a self, root: &'a str) -> Answer<'a, Result<usize, SubtreeError>> {
        Box::pin(subtree::delete_recursive(self, root))
    }

    fn commit(&self, ops: Vec<Op>) -> Answer<'_, Result<(), CommitError>> {
        Box::pin(Tree::commit(self, ops))
    }
}

/// Any [`Tree`]. Cloning shares it.
#[derive(Clone)]
pub struct Store(Arc<dyn Erased>);

impl Store {
    /// Hides which tree it is.
    pub fn new(tree: impl Tree) -> Self {
        Self(Arc::new(tree))
    }

    /// Reads one znode; see [`Tree::get`].
    ///
    /// # Errors
    /// When the tree did not answer.
    pub async fn get(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        let found = self.0.get_many(&[path.to_owned()]).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// Reads many znodes; see [`Tree::get_many`].
    ///
    /// # Errors
    /// When the tree did not answer.
    pub async fn get_many(&self, paths: &[String]) -> Result<Vec<Option<Entry>>, TreeError> {
        self.0.get_many(paths).await
    }

    /// Reads a whole branch; see [`Branch::read`].
    ///
    /// # Errors
    /// When the tree did not answer.
    pub async fn branch(&self, root: &str) -> Result<Branch, TreeError> {
        self.0.branch(root).await
    }

    /// Reads the whole tree but the branches in `skip`; see [`dump::dump`].
    ///
    /// # Errors
    /// When the tree did not answer.
    pub async fn dump(&self, skip: &[String]) -> Result<Vec<Dumped>, TreeError> {
        self.0.dump(skip).await
    }

    /// Writes a dump over what is there; see [`dump::restore`].
    ///
    /// # Errors
    /// When not all of it is known to have been written.
    pub async fn restore(&self, dump: &[Dumped]) -> Result<(), SubtreeError> {
        self.0.restore(dump).await
    }

    /// Deletes a branch; see [`subtree::delete_recursive`].
    ///
    /// # Errors
    /// When not all of it is known to have been deleted.
    pub async fn clear(&self, root: &str) -> Result<usize, SubtreeError> {
        self.0.clear(root).await
    }

    /// Runs a transaction; see [`Tree::commit`].
    ///
    /// # Errors
    /// When it is not known to have happened.
    pub async fn commit(&self, ops: Vec<Op>) -> Result<(), CommitError> {
        self.0.commit(ops).await
    }
}
