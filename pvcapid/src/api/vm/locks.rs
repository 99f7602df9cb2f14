//! `POST /vm/{vm}/locks`

use axum::extract::{Path, State};
use pvc_common::api::TaskAccepted;
use pvc_common::model::Work;

use super::{existing, home};
use crate::api::ApiError;
use crate::app::App;
use crate::task::{Accepted, order};

/// Takes the locks that are left on the volumes of a VM that runs nowhere; a task.
#[utoipa::path(post, path = "/api/v1/vm/{vm}/locks", operation_id = "vm_flush_locks", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID")),
    responses((status = 202, body = TaskAccepted), (status = 404, description = "No such VM")))]
pub(in crate::api) async fn flush(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Accepted, ApiError> {
    let shown = existing(&*app.view()?, &name)?;
    order(&app, Work::FlushLocks { domain: shown.uuid() }, home(&shown)?).await
}
