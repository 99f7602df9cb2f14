//! Raising the layout of the tree.

use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::zk::{Seen, key};
use pvc_zk::{CommitError, LockError, Tree, TreeError, lock};

/// Why the layout was not raised.
#[derive(Debug, thiserror::Error)]
pub(super) enum RaiseError {
    /// Another node is at it, or the session ended.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The tree could not be read.
    #[error(transparent)]
    Read(#[from] TreeError),
    /// The tree could not be written, or was changed meanwhile.
    #[error(transparent)]
    Write(#[from] CommitError),
    /// It is not in the layout that it was thought to be in; look again.
    #[error("the schema version is not {expected} any more")]
    Changed {
        /// What it was before.
        expected: u32,
    },
    /// This daemon cannot bring such an old tree up to date.
    #[error("no way is known from schema version {from} to {to}")]
    NoWay {
        /// The layout in force.
        from: u32,
        /// The one it should have.
        to: u32,
    },
}

/// How long another node may take to raise the layout.
const LIMIT: Duration = Duration::from_secs(60);

/// The layout of the last upstream version. Ours adds keys that are made when they are needed.
const UPSTREAM: u32 = 15;

/// Brings the tree from layout `from` to `to`, while no other node does.
///
/// # Errors
/// When another node was faster, or the tree cannot be written; then look again.
pub(super) async fn raise<T: Tree>(
    tree: &T,
    me: &NodeName,
    from: u32,
    to: u32,
) -> Result<(), RaiseError> {
    if from < UPSTREAM {
        return Err(RaiseError::NoWay { from, to });
    }
    let version = key::schema_version();
    let held = lock::acquire(tree, version.path(), me.as_str(), LIMIT).await?;
    let entry = tree.get(version.path()).await?;
    let seen = Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
    if seen.copied() != Some(from) {
        return Err(RaiseError::Changed { expected: from });
    }
    tree.commit(vec![held.proof(), version.put(&seen, &to)]).await?;
    held.release().await?;
    Ok(())
}
