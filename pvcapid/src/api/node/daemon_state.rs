//! `GET /node/{node}/daemon-state`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::NodeDaemonState;

use super::existing;
use crate::api::ApiError;
use crate::app::App;
use crate::image::node;

/// Tells what a node's daemon is doing.
#[utoipa::path(get, path = "/api/v1/node/{node}/daemon-state",
    operation_id = "node_daemon_state", tag = "node",
    params(("node" = String, Path, description = "Short host name")),
    responses((status = 200, body = NodeDaemonState),
        (status = 404, description = "No such node")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<NodeDaemonState>, ApiError> {
    let view = app.view()?;
    let name = existing(&view, &name)?;
    let shown = node(&name, &view.nodes[&name], &view);
    Ok(Json(NodeDaemonState { name: shown.name, daemon_state: shown.daemon_state }))
}
