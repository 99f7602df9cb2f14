//! `GET /`

use axum::Json;
use pvc_common::api::Message;

/// The version of the API, which is upstream's.
const VERSION: &str = "1.0";

/// Tells that this is the API.
#[utoipa::path(get, path = "/api/v1/", operation_id = "root", tag = "root",
    security(()), responses((status = 200, body = Message)))]
pub(in crate::api) async fn root() -> Json<Message> {
    Json(Message::new(format!("PVC API version {VERSION}")))
}
