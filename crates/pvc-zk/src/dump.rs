//! A branch as plain paths and data, for backups and for moving between clusters.

use pvc_common::zk::{Expected, Op};

use crate::error::{SubtreeError, TreeError};
use crate::path::{is_within, parent};
use crate::subtree::{batches, ensure_path};
use crate::tree::{Entry, Tree};
use crate::walk::{Visitor, walk};

/// The server's own branch, which is no part of any backup.
const SERVER: &str = "/zookeeper";

/// One znode of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumped {
    /// Absolute path.
    pub path: String,
    /// Its data.
    pub data: Vec<u8>,
}

/// How far a restoration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Znodes written.
    pub done: usize,
    /// Znodes to write in all.
    pub total: usize,
}

/// Everything at and below `root`, parents first, except what `skip` names (with what is below
/// it), what is ephemeral, lock contenders and the server's own branch.
///
/// Not atomic.
///
/// # Errors
/// As [`Tree::get_many`].
pub async fn dump<T: Tree>(
    tree: &T,
    root: &str,
    skip: impl Fn(&str) -> bool + Send + Sync,
) -> Result<Vec<Dumped>, TreeError> {
    let mut dumping = Dumping { skip, found: Vec::new() };
    walk(tree, root, &mut dumping).await?;
    dumping.found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(dumping.found)
}

struct Dumping<S> {
    skip: S,
    found: Vec<Dumped>,
}

impl<S: Fn(&str) -> bool> Visitor for Dumping<S> {
    fn wants(&self, path: &str) -> bool {
        !is_within(path, SERVER) && !(self.skip)(path)
    }

    fn visit(&mut self, path: &str, entry: Entry) {
        if !entry.ephemeral {
            self.found.push(Dumped { path: path.to_owned(), data: entry.data });
        }
    }
}

/// Writes a dump over what is there, parents first, in transactions as large as the server
/// takes; calls `progress` after each. What the dump does not name stays.
///
/// What fails midway can be repeated.
///
/// # Errors
/// [`crate::CommitError::Superseded`] if somebody else writes the same znodes meanwhile.
pub async fn restore<T: Tree>(
    tree: &T,
    dump: &[Dumped],
    mut progress: impl FnMut(Progress) + Send,
) -> Result<(), SubtreeError> {
    let mut znodes: Vec<&Dumped> = dump.iter().collect();
    znodes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    if let Some(above) = znodes.first().and_then(|first| parent(&first.path)) {
        ensure_path(tree, above).await?;
    }
    let paths: Vec<String> = znodes.iter().map(|znode| znode.path.clone()).collect();
    let present = tree.get_many(&paths).await?;
    let put = |(znode, entry): (&&Dumped, &Option<Entry>)| {
        let expected =
            entry.as_ref().map_or(Expected::Absent, |entry| Expected::Version(entry.version));
        Op::put(znode.path.clone(), znode.data.clone(), expected)
    };
    let ops = znodes.iter().zip(&present).map(put).collect();
    let mut done = 0;
    for batch in batches(ops) {
        done += batch.len();
        tree.commit(batch).await?;
        progress(Progress { done, total: znodes.len() });
    }
    Ok(())
}
