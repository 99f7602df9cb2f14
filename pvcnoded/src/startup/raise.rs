//! Raising the layout of the tree.

use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::zk::migrate::{CannotMigrate, TreeImage, Znode, migrate};
use pvc_common::zk::{Seen, key};
use pvc_zk::{CommitError, LockError, Tree, TreeError, is_contender, lock};

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
    /// The tree is none that can be brought up to date.
    #[error(transparent)]
    Cannot(#[from] CannotMigrate),
    /// It is not in the layout that it was thought to be in; look again.
    #[error("the schema version is not {expected} any more")]
    Changed {
        /// What it was before.
        expected: u32,
    },
}

/// How long another node may take to raise the layout.
const LIMIT: Duration = Duration::from_secs(60);

/// Branches of the same ensemble that are not PVC's.
const FOREIGN: [&str; 2] = ["zookeeper", "patroni"];

/// Brings the tree from layout `from` to `to`, while no other node does.
///
/// Cut off anywhere, the next attempt plans only what is left.
///
/// # Errors
/// When another node was faster, or the tree cannot be written; then look again.
pub(super) async fn raise<T: Tree>(
    tree: &T,
    me: &NodeName,
    from: u32,
    to: u32,
) -> Result<(), RaiseError> {
    let version = key::schema_version();
    let held = lock::acquire(tree, version.path(), me.as_str(), LIMIT).await?;
    let image = read_all(tree).await?;
    let found = image.get(version.path()).map(|znode| (&znode.data[..], znode.version));
    if Seen::<u32>::read(found).copied() != Some(from) {
        return Err(RaiseError::Changed { expected: from });
    }
    for mut transaction in migrate(&image, to)? {
        transaction.push(held.proof());
        tree.commit(transaction).await?;
    }
    held.release().await?;
    Ok(())
}

/// Everything that is PVC's, level by level, without lock contenders.
async fn read_all<T: Tree>(tree: &T) -> Result<TreeImage, TreeError> {
    let mut image = TreeImage::new();
    let roots = tree.children("/").await?.unwrap_or_default();
    let roots = roots.into_iter().filter(|name| !FOREIGN.contains(&name.as_str()));
    let mut level: Vec<String> = roots.map(|name| format!("/{name}")).collect();
    while !level.is_empty() {
        let entries = tree.get_many(&level).await?;
        let children = tree.children_many(&level).await?;
        let mut next = Vec::new();
        for ((path, entry), names) in level.into_iter().zip(entries).zip(children) {
            let Some(entry) = entry else {
                continue;
            };
            let names = names.into_iter().flatten().filter(|name| !is_contender(name));
            next.extend(names.map(|name| format!("{path}/{name}")));
            image.insert(path, Znode { data: entry.data, version: entry.version });
        }
        level = next;
    }
    Ok(image)
}
