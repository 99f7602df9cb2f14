//! `DELETE /storage/ceph/snapshot/{pool}/{volume}/{snapshot}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;

use super::named_snapshot;
use crate::api::ApiError;
use crate::app::App;
use crate::storage;

/// Removes a snapshot.
#[utoipa::path(delete, path = "/api/v1/storage/ceph/snapshot/{pool}/{volume}/{snapshot}",
    operation_id = "volume_snapshot_remove", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds its volume"),
        ("volume" = String, Path, description = "Its volume"),
        ("snapshot" = String, Path, description = "Its name")),
    responses((status = 200, body = Message), (status = 400, description = "Not removed"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn remove(
    State(app): State<App>,
    Path((pool, volume, snapshot)): Path<(String, String, String)>,
) -> Result<Json<Message>, ApiError> {
    let snapshot = named_snapshot(&pool, &volume, &snapshot)?;
    Ok(Json(Message::new(storage::remove_snapshot(&app, snapshot).await?)))
}
