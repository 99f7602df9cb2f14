//! `POST /storage/ceph/volume/{pool}/{volume}/scan`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;

use super::named_volume;
use crate::api::ApiError;
use crate::app::App;
use crate::storage;

/// Reads a volume from Ceph again, for it may have been changed there.
#[utoipa::path(post, path = "/api/v1/storage/ceph/volume/{pool}/{volume}/scan",
    operation_id = "volume_scan", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds it"),
        ("volume" = String, Path, description = "Its name")),
    responses((status = 200, body = Message), (status = 400, description = "Not read"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn scan(
    State(app): State<App>,
    Path((pool, volume)): Path<(String, String)>,
) -> Result<Json<Message>, ApiError> {
    let volume = named_volume(&pool, &volume)?;
    Ok(Json(Message::new(storage::scan(&app, &volume).await?)))
}
