//! `DELETE /storage/ceph/pool/{pool}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;

use super::named;
use crate::api::ApiError;
use crate::api::args::{Args, CONFIRMATION};
use crate::app::App;
use crate::storage;

/// Removes a pool with all its volumes.
#[utoipa::path(delete, path = "/api/v1/storage/ceph/pool/{pool}", operation_id = "pool_remove",
    tag = "storage",
    params(("pool" = String, Path, description = "Its name"),
        ("yes-i-really-mean-it" = String, Query, description = "Must be given, with any text")),
    responses((status = 200, body = Message), (status = 400, description = "Not removed"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn remove(
    State(app): State<App>,
    Path(pool): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    args.required(CONFIRMATION)?;
    Ok(Json(Message::new(storage::remove_pool(&app, named(&pool)?).await?)))
}
