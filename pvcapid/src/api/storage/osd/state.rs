//! `GET /storage/ceph/osd/{osdid}/state`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::OsdState;

use super::existing;
use crate::api::ApiError;
use crate::app::App;
use crate::image::osd_state;

/// Tells whether an OSD runs, and whether it holds data.
#[utoipa::path(get, path = "/api/v1/storage/ceph/osd/{osdid}/state", operation_id = "osd_state",
    tag = "storage", params(("osdid" = String, Path, description = "Its number")),
    responses((status = 200, body = OsdState), (status = 404, description = "No such OSD")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<OsdState>, ApiError> {
    let view = app.view()?;
    let (id, facts) = existing(&view, &id)?;
    Ok(Json(osd_state(id, facts)))
}
