//! `DELETE /storage/ceph/volume/{pool}/{volume}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;

use super::named_volume;
use crate::api::ApiError;
use crate::app::App;
use crate::storage;

/// Removes a volume with its snapshots.
#[utoipa::path(delete, path = "/api/v1/storage/ceph/volume/{pool}/{volume}",
    operation_id = "volume_remove", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds it"),
        ("volume" = String, Path, description = "Its name")),
    responses((status = 200, body = Message), (status = 400, description = "Not removed"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn remove(
    State(app): State<App>,
    Path((pool, volume)): Path<(String, String)>,
) -> Result<Json<Message>, ApiError> {
    let volume = named_volume(&pool, &volume)?;
    Ok(Json(Message::new(storage::remove_volume(&app, volume).await?)))
}
