//! `POST /storage/ceph/volume` and `POST /storage/ceph/volume/{pool}/{volume}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::VolumeId;
use pvc_common::unit::Bytes;
use utoipa::IntoParams;

use super::required_size;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::storage::pool::named;
use crate::app::App;
use crate::change::storage::new_name;
use crate::storage;

/// Arguments of a new volume.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AddArgs {
    /// How large it is: a whole number and a unit, such as `10G`.
    #[param(value_type = String)]
    size: Bytes,
    /// Whether to fill the pool beyond 80%.
    #[param(required = false)]
    force: bool,
}

/// Makes an empty volume.
#[utoipa::path(post, path = "/api/v1/storage/ceph/volume", operation_id = "volume_add",
    tag = "storage",
    params(("pool" = String, Query, description = "The pool that shall hold it"),
        ("volume" = String, Query, description = "Its name"), AddArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not made"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn add(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let (pool, volume) = (args.required("pool")?, args.required("volume")?);
    make(&app, pool, volume, &args).await
}

/// Makes an empty volume of this name.
#[utoipa::path(post, path = "/api/v1/storage/ceph/volume/{pool}/{volume}",
    operation_id = "volume_add_named", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds it"),
        ("volume" = String, Path, description = "Its name"), AddArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not made"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn add_named(
    State(app): State<App>,
    Path((pool, volume)): Path<(String, String)>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    make(&app, &pool, &volume, &args).await
}

async fn make(app: &App, pool: &str, volume: &str, args: &Args) -> Result<Json<Message>, ApiError> {
    let wanted = AddArgs { size: required_size(args, "size")?, force: args.flag("force") };
    let volume = VolumeId { pool: named(pool)?, volume: new_name("volume", volume)? };
    let made = storage::create_volume(app, volume, wanted.size, wanted.force).await?;
    Ok(Json(Message::new(made)))
}
