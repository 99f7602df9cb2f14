//! `DELETE /storage/ceph/osd/{osdid}`

use axum::extract::{Path, State};
use pvc_common::api::TaskAccepted;
use pvc_common::model::Work;

use super::wanted::home;
use crate::api::ApiError;
use crate::api::args::{Args, CONFIRMATION};
use crate::app::App;
use crate::task::{Accepted, order};

/// Removes an OSD once its data is safe elsewhere, and wipes its disk; a task.
#[utoipa::path(delete, path = "/api/v1/storage/ceph/osd/{osdid}", operation_id = "osd_remove",
    tag = "storage", params(("osdid" = String, Path, description = "Its number"),
        ("yes-i-really-mean-it" = String, Query, description = "Must be given, with any text"),
        ("force" = Option<bool>, Query,
            description = "Although data is at risk, and although some of it fails")),
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not confirmed"),
        (status = 404, description = "No such OSD")))]
pub(in crate::api) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    args: Args,
) -> Result<Accepted, ApiError> {
    args.required(CONFIRMATION)?;
    let (osd_id, run_on) = home(&*app.view()?, &id)?;
    let work = Work::RemoveOsd { osd_id, force_flag: args.flag("force"), skip_zap_flag: false };
    order(&app, work, run_on).await
}
