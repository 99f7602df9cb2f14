//! Volumes.

use pvc_ceph::{CephError, Image};
use pvc_common::id::{VolumeId, VolumeName};
use pvc_common::model::Json;
use pvc_common::unit::Bytes;
use pvc_common::zk::{Op, key};

use super::{Act, carry_out};
use crate::api::ApiError;
use crate::app::App;
use crate::apply::{apply, commit};
use crate::change::Change;
use crate::change::storage::{self, Making};
use crate::fetch;

/// Makes an empty volume.
pub(crate) async fn create_volume(
    app: &App,
    volume: VolumeId,
    size: Bytes,
    force: bool,
) -> Result<String, ApiError> {
    carry_out(app, vec![volume.to_string()], |app| async move {
        let view = app.view()?;
        let making = storage::new_volume(&view, &volume)?;
        storage::fits(storage::known_pool(&view, &volume.pool)?, &volume.pool, size, force)?;
        announce(&app, &volume, size, making).await?;
        let made = match app.storage().act(Act::CreateVolume(volume.clone(), size)).await {
            // It was made by whoever announced it, perhaps smaller.
            Err(CephError::Exists { .. }) if making == Making::Resumed => {
                app.storage().act(Act::GrowVolume(volume.clone(), size)).await
            }
            made => made,
        };
        settle(&app, &volume, made).await?;
        let (name, pool) = (&volume.volume, &volume.pool);
        Ok(format!("Created RBD volume '{name}' of size '{size}' in pool '{pool}'."))
    })
    .await
}

/// Copies a volume.
pub(crate) async fn clone_volume(
    app: &App,
    from: VolumeId,
    name: VolumeName,
    force: bool,
) -> Result<String, ApiError> {
    let to = VolumeId { pool: from.pool.clone(), volume: name };
    carry_out(app, vec![from.to_string(), to.to_string()], |app| async move {
        let view = app.view()?;
        storage::known_volume(&view, &from)?;
        let making = storage::new_volume(&view, &to)?;
        let size = app.storage().volume(&from).await?.size;
        storage::fits(storage::known_pool(&view, &to.pool)?, &to.pool, size, force)?;
        announce(&app, &to, size, making).await?;
        let made = match app.storage().act(Act::CopyVolume(from.clone(), to.volume.clone())).await {
            Err(CephError::Exists { .. }) if making == Making::Resumed => Ok(()),
            made => made,
        };
        settle(&app, &to, made).await?;
        let (old, new, pool) = (&from.volume, &to.volume, &to.pool);
        Ok(format!("Cloned RBD volume '{old}' to '{new}' in pool '{pool}'"))
    })
    .await
}

/// Announces a volume, unless it is announced already. Ceph must not have one of which the tree
/// knows nothing: nobody can say what it holds.
async fn announce(
    app: &App,
    volume: &VolumeId,
    size: Bytes,
    making: Making,
) -> Result<(), ApiError> {
    if making == Making::Resumed {
        return Ok(());
    }
    match app.storage().volume(volume).await {
        Err(CephError::NoImage { .. }) => {}
        Ok(_) => return Err(CephError::Exists { what: volume.to_string() }.into()),
        Err(error) => return Err(error.into()),
    }
    let size = Json::of(&serde_json::json!({ "name": volume.volume.as_str(), "size": size.0 }));
    let ops = vec![
        key::volume(volume).create(&()),
        key::volume_stats(volume).create(&size),
        key::volume_snapshots(volume).create(&()),
    ];
    Ok(commit(app, ops).await?)
}

/// Records what was made; takes the announcement back if it certainly was not.
async fn settle(app: &App, volume: &VolumeId, made: Result<(), CephError>) -> Result<(), ApiError> {
    match made {
        Ok(()) => record(app, volume).await,
        // Nobody knows, and to ask would be to wait for Ceph once more.
        Err(error @ CephError::NoAnswer { .. }) => Err(error.into()),
        Err(error) => {
            let absent = app.storage().volume(volume).await;
            if matches!(absent, Err(CephError::NoImage { .. })) {
                forget(app, volume).await?;
            }
            Err(error.into())
        }
    }
}

/// Records what Ceph says of a volume, which is whole.
pub(super) async fn record(app: &App, volume: &VolumeId) -> Result<(), ApiError> {
    let Image { info, .. } = app.storage().volume(volume).await?;
    apply(app, || async {
        let key = key::volume_stats(volume);
        let seen = fetch::one(app.store(), &key).await?;
        Ok(Change::of([(seen.get() != Some(&info)).then(|| key.put(&seen, &info))], ""))
    })
    .await
    .map(drop)
}

/// Reads a volume from Ceph again, for it may have been changed behind PVC's back.
pub(crate) async fn scan(app: &App, volume: &VolumeId) -> Result<String, ApiError> {
    if !app.view()?.volumes.contains_key(volume) {
        return Err(storage::no_volume(volume));
    }
    let Image { info, .. } = app.storage().volume(volume).await?;
    apply(app, || async {
        let key = key::volume_stats(volume);
        let seen = fetch::one(app.store(), &key).await?;
        // It does not become whole by being looked at.
        let filling = storage::is_being_filled(&seen);
        let told = if filling { storage::being_filled(&info) } else { info.clone() };
        Ok(Change::of([(seen.get() != Some(&told)).then(|| key.put(&seen, &told))], ""))
    })
    .await?;
    let (name, pool) = (&volume.volume, &volume.pool);
    Ok(format!("Scanned RBD volume '{name}' in pool '{pool}'."))
}

/// Makes a volume larger.
pub(crate) async fn grow_volume(
    app: &App,
    volume: VolumeId,
    size: Bytes,
    force: bool,
) -> Result<String, ApiError> {
    carry_out(app, vec![volume.to_string()], |app| async move {
        let view = app.view()?;
        storage::known_volume(&view, &volume)?;
        let before = app.storage().volume(&volume).await?.size;
        let more = Bytes(size.0.saturating_sub(before.0));
        storage::fits(storage::known_pool(&view, &volume.pool)?, &volume.pool, more, force)?;
        app.storage().act(Act::GrowVolume(volume.clone(), size)).await?;
        record(&app, &volume).await?;
        let (name, pool) = (&volume.volume, &volume.pool);
        Ok(format!("Resized RBD volume '{name}' to size '{size}' in pool '{pool}'."))
    })
    .await
}

/// Renames a volume, with its snapshots.
pub(crate) async fn rename_volume(
    app: &App,
    volume: VolumeId,
    name: VolumeName,
) -> Result<String, ApiError> {
    let to = VolumeId { pool: volume.pool.clone(), volume: name };
    carry_out(app, vec![volume.to_string(), to.to_string()], |app| async move {
        let view = app.view()?;
        let id = storage::known_volume(&view, &volume)?;
        if view.volumes.contains_key(&to) {
            let message =
                format!("ERROR: There is a volume '{}' in pool '{}' already.", to.volume, to.pool);
            return Err(ApiError::refused("name-in-use", message));
        }
        match app.storage().act(Act::RenameVolume(volume.clone(), to.volume.clone())).await {
            Ok(()) => {}
            // It was renamed before, by a request that came to no end.
            Err(CephError::NoImage { .. })
                if app.storage().volume(&to).await.is_ok_and(|image| image.id == id) => {}
            Err(error) => return Err(error.into()),
        }
        move_keys(&app, &volume, &to).await?;
        record(&app, &to).await?;
        let (old, new, pool) = (&volume.volume, &to.volume, &to.pool);
        Ok(format!("Renamed RBD volume '{old}' to '{new}' in pool '{pool}'."))
    })
    .await
}

/// The branches of the tree that are a volume's.
fn roots(volume: &VolumeId) -> [String; 2] {
    [key::volume_snapshots(volume).into_path(), key::volume(volume).into_path()]
}

async fn move_keys(app: &App, from: &VolumeId, to: &VolumeId) -> Result<(), ApiError> {
    apply(app, || async {
        let mut ops: Vec<Op> = Vec::new();
        for (old, new) in roots(from).iter().zip(roots(to)) {
            let branch = app.store().branch(old).await?;
            ops.extend(branch.creates(&new));
            ops.extend(branch.deletes());
        }
        Ok(Change { ops, message: String::new() })
    })
    .await
    .map(drop)
}

/// Removes a volume with its snapshots.
pub(crate) async fn remove_volume(app: &App, volume: VolumeId) -> Result<String, ApiError> {
    carry_out(app, vec![volume.to_string()], |app| async move {
        if !app.view()?.volumes.contains_key(&volume) {
            return Err(storage::no_volume(&volume));
        }
        app.storage().act(Act::RemoveVolume(volume.clone())).await?;
        forget(&app, &volume).await?;
        let (name, pool) = (&volume.volume, &volume.pool);
        Ok(format!("Removed RBD volume '{name}' in pool '{pool}'."))
    })
    .await
}

async fn forget(app: &App, volume: &VolumeId) -> Result<(), ApiError> {
    apply(app, || async {
        let mut ops = Vec::new();
        for root in roots(volume) {
            ops.extend(app.store().branch(&root).await?.deletes());
        }
        Ok(Change { ops, message: String::new() })
    })
    .await
    .map(drop)
}
