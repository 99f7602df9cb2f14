//! `DELETE /vm/{vm}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::zk::key;
use utoipa::IntoParams;

use super::{Target, changeable};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change;

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
    if delete_disks {
        without_volumes(&app, &target)?;
    }
    apply(&app, || async { Ok(change::begin_removal(target.uuid, &target.read(&app).await?)) })
        .await?;
    unclaimed(&app, &target).await?;
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

/// This version keeps no storage: a VM's volumes cannot be deleted, so it is not removed
/// as if they were.
fn without_volumes(app: &App, target: &Target) -> Result<(), ApiError> {
    let view = app.view()?;
    let details = view.vm(target.uuid).and_then(|shown| shown.vm().details.as_deref());
    if details.and_then(|details| details.volumes.get()).is_none_or(Vec::is_empty) {
        return Ok(());
    }
    let why = "ERROR: This version cannot delete the VM's volumes; undefine the VM instead.";
    Err(ApiError::refused("has-volumes", why))
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
