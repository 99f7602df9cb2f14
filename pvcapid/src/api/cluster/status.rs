//! `GET /status`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Status;

use super::summary;
use crate::api::ApiError;
use crate::app::App;

/// Sums up the cluster.
#[utoipa::path(get, path = "/api/v1/status", operation_id = "status", tag = "root",
    responses((status = 200, body = Status)))]
pub(in crate::api) async fn show_status(State(app): State<App>) -> Result<Json<Status>, ApiError> {
    Ok(Json(summary::status(&*app.view()?)))
}
