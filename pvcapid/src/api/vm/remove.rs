//! `DELETE /vm/{vm}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::VolumeId;
use pvc_common::zk::key;
use utoipa::IntoParams;

use super::{Target, changeable};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change;
use crate::storage;

/// Arguments of a removal.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct RemoveArgs {
    /// Whether to delete its volumes too.
    #[param(required = false)]
    delete_disks: bool,
}

/// Stops a VM and forgets it, with its volumes or without.
#[utoipa::path(delete, path = "/api/v1/vm/{vm}", operation_id = "vm_remove", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), RemoveArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not removed"),
        (status = 504, description = "Still running; it is removed when asked again")))]
pub(in crate::api) async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let RemoveArgs { delete_disks } = RemoveArgs { delete_disks: args.flag("delete_disks") };
    let target = changeable(&*app.view()?, &name)?;
    let disks = if delete_disks { volumes(&app, &target)? } else { vec![] };
    apply(&app, || async { Ok(change::begin_removal(target.uuid, &target.read(&app).await?)) })
        .await?;
    unclaimed(&app, &target).await?;
    // Before the VM, which knows them: if one cannot be removed now, the same request can go on.
    for volume in disks {
        storage::remove_volume(&app, volume).await?;
    }
    let message = if delete_disks {
        format!("Removed VM '{}' and its disks from the cluster.", target.name)
    } else {
        format!("Undefined VM '{}' from the cluster.", target.name)
    };
    let root = key::vm_name(target.uuid).into_path();
    let done = apply(&app, || async {
        let found = app.store().branch(&root).await?;
        change::finish_removal(target.uuid, &found, message.clone())
    });
    Ok(Json(Message::new(done.await?)))
}

/// The VM's volumes that the cluster knows. Others are not PVC's to delete.
fn volumes(app: &App, target: &Target) -> Result<Vec<VolumeId>, ApiError> {
    let view = app.view()?;
    let details = view.vm(target.uuid).and_then(|shown| shown.vm().details.as_deref());
    let all = details.and_then(|details| details.volumes.get()).cloned().unwrap_or_default();
    Ok(all.into_iter().filter(|volume| view.volumes.contains_key(volume)).collect())
}

/// Waits until nobody may be running the VM.
async fn unclaimed(app: &App, target: &Target) -> Result<(), ApiError> {
    let unclaimed = app.until(app.limits().wait, |view| {
        view.vm(target.uuid).is_none_or(|shown| shown.vm().claim.get().is_none())
    });
    unclaimed.await.map(drop).ok_or_else(|| {
        let message = format!("VM '{}' is still running; it goes on being stopped.", target.name);
        ApiError::still_waiting(message)
    })
}
