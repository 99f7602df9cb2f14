//! `GET /sriov/vf/{node}/{vf}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::SriovVf;

use super::existing;
use crate::api::ApiError;
use crate::app::App;
use crate::image::vf;

/// Shows one virtual function, as a list of one.
#[utoipa::path(get, path = "/api/v1/sriov/vf/{node}/{vf}", operation_id = "sriov_vf_show",
    tag = "sriov",
    params(("node" = String, Path, description = "Short host name"),
        ("vf" = String, Path, description = "Name of the function")),
    responses((status = 200, body = [SriovVf]), (status = 404, description = "No such function")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path((node, name)): Path<(String, String)>,
) -> Result<Json<Vec<SriovVf>>, ApiError> {
    let view = app.view()?;
    let (_, name, found) = existing(&view, &node, &name)?;
    Ok(Json(vec![vf(&name, found)]))
}
