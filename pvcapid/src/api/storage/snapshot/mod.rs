//! Snapshots of volumes.

pub(in crate::api) mod add;
pub(in crate::api) mod list;
pub(in crate::api) mod remove;
pub(in crate::api) mod rename;
pub(in crate::api) mod roll_back;
pub(in crate::api) mod show;

use pvc_common::id::SnapshotId;

use super::volume::named_volume;
use crate::api::ApiError;

/// The snapshot of this name, whether there is one or not.
fn named_snapshot(pool: &str, volume: &str, snapshot: &str) -> Result<SnapshotId, ApiError> {
    let of = named_volume(pool, volume)?;
    let name = snapshot.parse().map_err(|_| {
        let message = format!("ERROR: There is no snapshot '{snapshot}' of volume '{of}'.");
        ApiError::refused("no-such-snapshot", message)
    })?;
    Ok(SnapshotId { of, snapshot: name })
}
