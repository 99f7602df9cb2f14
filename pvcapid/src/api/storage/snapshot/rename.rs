//! `PUT /storage/ceph/snapshot/{pool}/{volume}/{snapshot}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use utoipa::IntoParams;

use super::named_snapshot;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::change::storage::new_name;
use crate::storage;

/// Arguments of a change of a snapshot.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct RenameArgs {
    /// What it shall be called.
    new_name: String,
}

/// Renames a snapshot.
#[utoipa::path(put, path = "/api/v1/storage/ceph/snapshot/{pool}/{volume}/{snapshot}",
    operation_id = "volume_snapshot_rename", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds its volume"),
        ("volume" = String, Path, description = "Its volume"),
        ("snapshot" = String, Path, description = "Its name"), RenameArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not renamed"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn rename(
    State(app): State<App>,
    Path((pool, volume, snapshot)): Path<(String, String, String)>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wanted = RenameArgs { new_name: args.required("new_name")?.to_owned() };
    let snapshot = named_snapshot(&pool, &volume, &snapshot)?;
    let name = new_name("new_name", &wanted.new_name)?;
    Ok(Json(Message::new(storage::rename_snapshot(&app, snapshot, name).await?)))
}
