//! `GET /network/{vni}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Network;

use super::listed;
use crate::api::ApiError;
use crate::app::App;
use crate::change::network::find;
use crate::image;

/// Shows one network, as a list.
#[utoipa::path(get, path = "/api/v1/network/{vni}", operation_id = "network_show", tag = "network",
    params(("vni" = String, Path, description = "VNI or description")),
    responses((status = 200, body = [Network]), (status = 404, description = "No such network")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<Vec<Network>>, ApiError> {
    let view = app.view()?;
    let found = find(&view, &text).ok();
    let found = found.and_then(|vni| Some(image::network(vni, view.networks.get(&vni)?, &view)));
    listed(found.into_iter().collect())
}
