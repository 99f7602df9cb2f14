//! What is left to read: whole roots, and single paths.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use tokio::sync::mpsc;

use crate::lock::is_contender;
use crate::path::is_within;
use crate::tree::Change;

/// Changes taken from one root at a time.
const BATCH: usize = 4_096;
/// Most paths kept while the tree cannot be read: beyond that, a root is hardly dearer.
const PATHS_LIMIT: usize = 16_384;

/// What is left to read.
#[derive(Debug)]
pub(super) struct Todo {
    /// The mirrored roots.
    pub(super) names: Vec<String>,
    /// Which of them must be read whole.
    pub(super) roots: BTreeSet<usize>,
    /// Which paths must be read, none of them below one of `roots`.
    pub(super) paths: BTreeSet<String>,
}

impl Todo {
    pub(super) fn new(roots: &[&str]) -> Self {
        Self {
            names: roots.iter().map(|&root| root.to_owned()).collect(),
            roots: BTreeSet::new(),
            paths: BTreeSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.paths.is_empty()
    }

    fn add(&mut self, root: usize, change: Change, wants: &impl Fn(&str) -> bool) {
        match change {
            Change::Resync => self.add_root(root),
            Change::Touched(path) => {
                let is_lock = path.split('/').any(is_contender);
                if !self.roots.contains(&root) && !is_lock && wants(&path) {
                    self.paths.insert(path);
                }
                if self.paths.len() > PATHS_LIMIT {
                    self.add_root(root);
                }
            }
        }
    }

    fn add_root(&mut self, root: usize) {
        let name = &self.names[root];
        self.paths.retain(|path| !is_within(path, name));
        self.roots.insert(root);
    }
}

/// The changes of all roots.
#[derive(Debug)]
pub(super) struct Inbox {
    receivers: Vec<mpsc::Receiver<Change>>,
    batch: Vec<Change>,
}

/// The tree is closed.
#[derive(Debug)]
pub(super) struct Ended;

impl Inbox {
    pub(super) fn new(receivers: Vec<mpsc::Receiver<Change>>) -> Self {
        Self { receivers, batch: Vec::new() }
    }

    /// Waits for changes, and adds those that are there to `todo` if they are wanted.
    ///
    /// Loses nothing when dropped before it is done.
    pub(super) async fn next(
        &mut self,
        todo: &mut Todo,
        wants: impl Fn(&str) -> bool,
    ) -> Result<(), Ended> {
        poll_fn(|context| self.poll(context, todo, &wants)).await
    }

    /// Adds those changes that are there to `todo` if they are wanted.
    ///
    /// Whether the tree is closed is for the next waiting to say.
    pub(super) fn take(&mut self, todo: &mut Todo, wants: impl Fn(&str) -> bool) {
        let _: Poll<_> = self.poll(&mut Context::from_waker(Waker::noop()), todo, &wants);
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        todo: &mut Todo,
        wants: &impl Fn(&str) -> bool,
    ) -> Poll<Result<(), Ended>> {
        let mut any = false;
        for (root, receiver) in self.receivers.iter_mut().enumerate() {
            match receiver.poll_recv_many(context, &mut self.batch, BATCH) {
                Poll::Ready(0) => return Poll::Ready(Err(Ended)),
                Poll::Ready(_) => {
                    any = true;
                    for change in self.batch.drain(..) {
                        todo.add(root, change, wants);
                    }
                }
                Poll::Pending => {}
            }
        }
        if any { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn todo_after(changes: &[(usize, Change)]) -> Todo {
        let mut todo = Todo::new(&["/a", "/b"]);
        for (root, change) in changes {
            todo.add(*root, change.clone(), &|path| !path.ends_with("/log"));
        }
        todo
    }

    fn touched(path: &str) -> Change {
        Change::Touched(path.to_owned())
    }

    #[test]
    fn what_is_unwanted_or_a_lock_contender_is_not_read() {
        let contender = "/a/0123456789abcdef0123456789abcdef__lock__0000000001";
        let todo = todo_after(&[(0, touched("/a/log")), (0, touched(contender))]);
        assert!(todo.is_empty());
    }

    #[test]
    fn reading_a_root_covers_what_changed_below_it_and_no_more() {
        let todo = todo_after(&[
            (0, touched("/a/x")),
            (1, touched("/b/x")),
            (0, Change::Resync),
            (0, touched("/a/y")),
        ]);
        assert_eq!(todo.roots, BTreeSet::from([0]));
        assert_eq!(todo.paths, BTreeSet::from(["/b/x".to_owned()]));
    }
}
