//! Making an empty cluster, before its first node starts.

use pvc_common::zk::{key, migrate};
use pvc_zk::{CommitError, SubtreeError};

use crate::api::ApiError;
use crate::store::Store;

/// Everything that an initialisation with `overwrite` deletes.
const BRANCHES: [&str; 10] = [
    key::SCHEMA,
    key::CONFIG,
    key::LOGS,
    key::FAULTS,
    key::FENCES,
    key::TASKS,
    key::NODES,
    key::DOMAINS,
    key::NETWORKS,
    key::CEPH,
];

/// Makes an empty cluster; with `overwrite`, of one that holds data.
///
/// # Errors
/// When there is data that shall not be overwritten, when a VM may be running, or when the
/// tree does not answer.
pub async fn initialize(store: &Store, overwrite: bool) -> Result<(), ApiError> {
    let initialized = store.get(key::primary_node().path()).await?.is_some();
    if initialized && !overwrite {
        return Err(exists());
    }
    if overwrite {
        clear(store).await?;
    }
    match store.commit(migrate::initialise()).await {
        Ok(()) => Ok(()),
        // A part of it is there without the rest.
        Err(CommitError::Superseded { .. }) => Err(exists()),
        Err(error @ (CommitError::Refused { .. } | CommitError::Unknown { .. })) => {
            Err(error.into())
        }
    }
}

fn exists() -> ApiError {
    let why = "ERROR: Cluster contains data and overwrite not set.";
    ApiError::refused("cluster-exists", why)
}

/// Deletes everything, unless a VM may be running: nobody would know of it any more.
async fn clear(store: &Store) -> Result<(), ApiError> {
    let vms = store.branch(key::DOMAINS).await?;
    let claimed = vms.znodes().iter().any(|(path, _)| path.ends_with(key::vm_suffix::CLAIM));
    if claimed {
        let why = "ERROR: Failed to delete data in cluster; VMs are running.";
        return Err(ApiError::refused("vms-running", why));
    }
    for root in BRANCHES {
        store.clear(root).await.map_err(|error| match error {
            SubtreeError::Read(error) => ApiError::from(error),
            SubtreeError::Write(error) => {
                tracing::warn!("initialize: {root} could not be deleted: {error}");
                let why = "ERROR: Failed to delete data in cluster; running nodes perhaps?";
                ApiError::refused("not-deleted", why)
            }
        })?;
    }
    Ok(())
}
