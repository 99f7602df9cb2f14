//! `GET /status/primary_node`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pvc_common::api::PrimaryNode;

use crate::api::ApiError;
use crate::app::App;

/// Names the primary node; nothing while the part passes from one to another.
#[utoipa::path(get, path = "/api/v1/status/primary_node", operation_id = "status_primary_node",
    tag = "root", security(()),
    responses((status = 200, body = PrimaryNode), (status = 204, description = "None now")))]
pub(in crate::api) async fn show_primary_node(
    State(app): State<App>,
) -> Result<Response, ApiError> {
    let view = app.view()?;
    Ok(match view.cluster.primary_node.get() {
        Some(Some(node)) => Json(PrimaryNode { primary_node: node.to_string() }).into_response(),
        Some(None) | None => StatusCode::NO_CONTENT.into_response(),
    })
}
