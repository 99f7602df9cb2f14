//! `POST /storage/ceph/snapshot` and `POST /storage/ceph/snapshot/{pool}/{volume}/{snapshot}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::SnapshotId;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::storage::volume::named_volume;
use crate::app::App;
use crate::change::storage::new_name;
use crate::storage;

/// Takes a snapshot of a volume.
#[utoipa::path(post, path = "/api/v1/storage/ceph/snapshot", operation_id = "volume_snapshot_add",
    tag = "storage",
    params(("pool" = String, Query, description = "The pool that holds its volume"),
        ("volume" = String, Query, description = "Its volume"),
        ("snapshot" = String, Query, description = "Its name")),
    responses((status = 200, body = Message), (status = 400, description = "Not taken"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn add(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let [snapshot, volume, pool] = ["snapshot", "volume", "pool"].map(|name| args.required(name));
    take(&app, pool?, volume?, snapshot?).await
}

/// Takes a snapshot of this name.
#[utoipa::path(post, path = "/api/v1/storage/ceph/snapshot/{pool}/{volume}/{snapshot}",
    operation_id = "volume_snapshot_add_named", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds its volume"),
        ("volume" = String, Path, description = "Its volume"),
        ("snapshot" = String, Path, description = "Its name")),
    responses((status = 200, body = Message), (status = 400, description = "Not taken"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn add_named(
    State(app): State<App>,
    Path((pool, volume, snapshot)): Path<(String, String, String)>,
) -> Result<Json<Message>, ApiError> {
    take(&app, &pool, &volume, &snapshot).await
}

async fn take(
    app: &App,
    pool: &str,
    volume: &str,
    snapshot: &str,
) -> Result<Json<Message>, ApiError> {
    let (of, snapshot) = (named_volume(pool, volume)?, new_name("snapshot", snapshot)?);
    let taken = storage::create_snapshot(app, SnapshotId { of, snapshot }).await?;
    Ok(Json(Message::new(taken)))
}
