//! Making an empty cluster, before its first node starts.

use pvc_common::zk::{Expected, Op, key};
use pvc_zk::SubtreeError;

use crate::api::ApiError;
use crate::store::Store;

/// The layout of a new cluster.
const SCHEMA_VERSION: u32 = 16;

/// Everything that an initialisation with `overwrite` deletes.
const BRANCHES: [&str; 8] = [
    key::SCHEMA,
    key::CONFIG,
    key::LOGS,
    key::FAULTS,
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
        let why = "ERROR: Cluster contains data and overwrite not set.";
        return Err(ApiError::refused("cluster-exists", why));
    }
    if overwrite {
        clear(store).await?;
    }
    store.commit(empty_cluster()).await?;
    Ok(())
}

/// The keys of an empty cluster, parents first.
fn empty_cluster() -> Vec<Op> {
    let parents = BRANCHES.iter().map(|path| (*path).to_owned());
    let settings = [
        key::maintenance().into_path(),
        key::fence_lock().into_path(),
        key::primary_node().into_path(),
        key::primary_sync_lock().into_path(),
        key::upstream_ip().into_path(),
        key::default_selector().into_path(),
    ];
    let storage = [
        key::storage_health().into_path(),
        key::storage_util().into_path(),
        key::OSDS.to_owned(),
        key::POOLS.to_owned(),
        key::VOLUMES.to_owned(),
        key::SNAPSHOTS.to_owned(),
    ];
    let paths = parents.chain(settings).chain(storage);
    let mut ops: Vec<Op> = paths.map(|path| Op::put(path, "", Expected::Absent)).collect();
    ops.push(key::schema_version().create(&SCHEMA_VERSION));
    ops
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
