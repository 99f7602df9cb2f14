//! `PUT /storage/ceph/osd/{osdid}`

use axum::extract::{Path, State};
use pvc_common::api::TaskAccepted;
use pvc_common::model::Work;

use super::wanted::{home, parsed};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::task::{Accepted, order};

/// Takes up again an OSD whose disk is there, as after a reinstallation of the node; a task.
#[utoipa::path(put, path = "/api/v1/storage/ceph/osd/{osdid}", operation_id = "osd_refresh",
    tag = "storage", params(("osdid" = String, Path, description = "Its number"),
        ("device" = String, Query, description = "The disk, by its path or as `detect:NAME:SIZE:ID`")),
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not as expected"),
        (status = 404, description = "No such OSD")))]
pub(in crate::api) async fn refresh(
    State(app): State<App>,
    Path(id): Path<String>,
    args: Args,
) -> Result<Accepted, ApiError> {
    let (osd_id, run_on) = home(&*app.view()?, &id)?;
    order(&app, Work::RefreshOsds { osd_id, device: parsed(&args, "device")? }, run_on).await
}
