//! `GET /storage/ceph/osd/{osdid}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Osd;

use super::existing;
use crate::api::ApiError;
use crate::app::App;
use crate::image::osd;

/// Shows one OSD, as a list.
#[utoipa::path(get, path = "/api/v1/storage/ceph/osd/{osdid}", operation_id = "osd_show",
    tag = "storage", params(("osdid" = String, Path, description = "Its number")),
    responses((status = 200, body = [Osd]), (status = 404, description = "No such OSD")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Vec<Osd>>, ApiError> {
    let view = app.view()?;
    let (id, facts) = existing(&view, &id)?;
    Ok(Json(vec![osd(id, facts)]))
}
