//! `POST /storage/ceph/volume/{pool}/{volume}/clone`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use utoipa::IntoParams;

use super::named_volume;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::change::storage::new_name;
use crate::storage;

/// Arguments of a copy.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct CloneArgs {
    /// Name of the new volume.
    new_volume: String,
    /// Whether to fill the pool beyond 80%.
    #[param(required = false)]
    force: bool,
}

/// Copies a volume to a new one in the same pool.
#[utoipa::path(post, path = "/api/v1/storage/ceph/volume/{pool}/{volume}/clone",
    operation_id = "volume_clone", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds it"),
        ("volume" = String, Path, description = "Its name"), CloneArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not copied"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn clone(
    State(app): State<App>,
    Path((pool, volume)): Path<(String, String)>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wanted = CloneArgs {
        new_volume: args.required("new_volume")?.to_owned(),
        force: args.flag("force"),
    };
    let name = new_name("new_volume", &wanted.new_volume)?;
    let from = named_volume(&pool, &volume)?;
    let done = storage::clone_volume(&app, from, name, wanted.force).await?;
    Ok(Json(Message::new(done)))
}
