//! `GET /fence/{fence}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Fence;

use crate::api::ApiError;
use crate::app::App;
use crate::image::fences;

/// Shows one fence, under way or over, as a list of one.
#[utoipa::path(get, path = "/api/v1/fence/{fence}", operation_id = "fence_show", tag = "node",
    params(("fence" = String, Path, description = "Such as hv3-1763695123000")),
    responses((status = 200, body = [Fence]), (status = 404, description = "No such fence")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Vec<Fence>>, ApiError> {
    let mut fences = fences(&*app.view()?);
    fences.retain(|fence| fence.id == id);
    if fences.is_empty() { Err(ApiError::not_found("Fence")) } else { Ok(Json(fences)) }
}
