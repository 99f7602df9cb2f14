//! Snapshots of volumes.

use pvc_ceph::{CephError, Image};
use pvc_common::id::{SnapshotId, SnapshotName, VolumeId};
use pvc_common::zk::{Op, key};

use super::{Act, carry_out};
use crate::api::ApiError;
use crate::app::App;
use crate::apply::apply;
use crate::change::{Change, storage};
use crate::fetch;

/// Takes a snapshot of a volume.
pub(crate) async fn create_snapshot(app: &App, snapshot: SnapshotId) -> Result<String, ApiError> {
    carry_out(app, vec![snapshot.of.to_string()], |app| async move {
        let view = app.view()?;
        storage::known_volume(&view, &snapshot.of)?;
        let SnapshotId { of, snapshot: name } = &snapshot;
        if view.snapshots.contains_key(&snapshot) {
            let message = format!("ERROR: There is a snapshot '{name}' of volume '{of}' already.");
            return Err(ApiError::refused("name-in-use", message));
        }
        match app.storage().act(Act::CreateSnapshot(snapshot.clone())).await {
            // A snapshot holds what it held when it was taken, so whoever took it did this work.
            Ok(()) | Err(CephError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        record(&app, &snapshot).await?;
        count(&app, of).await?;
        let (volume, pool) = (&of.volume, &of.pool);
        Ok(format!("Created RBD snapshot '{name}' of volume '{volume}' in pool '{pool}'."))
    })
    .await
}

/// Records what Ceph says of a snapshot.
async fn record(app: &App, snapshot: &SnapshotId) -> Result<(), ApiError> {
    let Image { info, .. } = app.storage().snapshot(snapshot).await?;
    apply(app, || async {
        let (root, stats) = (key::snapshot(snapshot), key::snapshot_stats(snapshot));
        let parent = key::volume_snapshots(&snapshot.of);
        let mut ops = Vec::new();
        // Upstream makes it with the first snapshot.
        if app.store().get(parent.path()).await?.is_none() {
            ops.push(parent.create(&()));
        }
        if app.store().get(root.path()).await?.is_none() {
            ops.push(root.create(&()));
        }
        ops.push(stats.put(&fetch::one(app.store(), &stats).await?, &info));
        Ok(Change { ops, message: String::new() })
    })
    .await
    .map(drop)
}

/// Records what Ceph says of a volume, as the number of its snapshots.
async fn count(app: &App, volume: &VolumeId) -> Result<(), ApiError> {
    super::scan(app, volume).await.map(drop)
}

/// The snapshot, which must be known.
fn known(app: &App, snapshot: &SnapshotId) -> Result<(), ApiError> {
    let known = app.view()?.snapshots.contains_key(snapshot);
    if known { Ok(()) } else { Err(storage::no_snapshot(snapshot)) }
}

/// Renames a snapshot.
pub(crate) async fn rename_snapshot(
    app: &App,
    snapshot: SnapshotId,
    name: SnapshotName,
) -> Result<String, ApiError> {
    carry_out(app, vec![snapshot.of.to_string()], |app| async move {
        known(&app, &snapshot)?;
        let to = SnapshotId { of: snapshot.of.clone(), snapshot: name };
        let SnapshotId { of, snapshot: old } = &snapshot;
        if app.view()?.snapshots.contains_key(&to) {
            let new = &to.snapshot;
            let message = format!("ERROR: There is a snapshot '{new}' of volume '{of}' already.");
            return Err(ApiError::refused("name-in-use", message));
        }
        match app.storage().act(Act::RenameSnapshot(snapshot.clone(), to.snapshot.clone())).await {
            Ok(()) => {}
            // It was renamed before, by a request that came to no end.
            Err(CephError::NoSnapshot { .. }) if app.storage().snapshot(&to).await.is_ok() => {}
            Err(error) => return Err(error.into()),
        }
        apply(&app, || async {
            let branch = app.store().branch(key::snapshot(&snapshot).path()).await?;
            let mut ops: Vec<Op> = branch.creates(key::snapshot(&to).path());
            ops.extend(branch.deletes());
            Ok(Change { ops, message: String::new() })
        })
        .await?;
        let (new, volume, pool) = (&to.snapshot, &of.volume, &of.pool);
        Ok(format!(
            "Renamed RBD snapshot '{old}' to '{new}' for volume '{volume}' in pool '{pool}'."
        ))
    })
    .await
}

/// Removes a snapshot.
pub(crate) async fn remove_snapshot(app: &App, snapshot: SnapshotId) -> Result<String, ApiError> {
    carry_out(app, vec![snapshot.of.to_string()], |app| async move {
        known(&app, &snapshot)?;
        app.storage().act(Act::RemoveSnapshot(snapshot.clone())).await?;
        apply(&app, || async {
            let branch = app.store().branch(key::snapshot(&snapshot).path()).await?;
            Ok(Change { ops: branch.deletes(), message: String::new() })
        })
        .await?;
        let SnapshotId { of, snapshot: name } = &snapshot;
        count(&app, of).await?;
        let (volume, pool) = (&of.volume, &of.pool);
        Ok(format!("Removed RBD snapshot '{name}' of volume '{volume}' in pool '{pool}'."))
    })
    .await
}

/// Puts a volume back to what it was at a snapshot.
pub(crate) async fn roll_back(app: &App, snapshot: SnapshotId) -> Result<String, ApiError> {
    carry_out(app, vec![snapshot.of.to_string()], |app| async move {
        known(&app, &snapshot)?;
        app.storage().act(Act::RollBack(snapshot.clone())).await?;
        let SnapshotId { of, snapshot: name } = &snapshot;
        // All of it is as it was, also of a volume that held a part of an image.
        super::volume::record(&app, of).await?;
        let (volume, pool) = (&of.volume, &of.pool);
        Ok(format!("Rolled back RBD volume '{volume}' in pool '{pool}' to snapshot '{name}'."))
    })
    .await
}
