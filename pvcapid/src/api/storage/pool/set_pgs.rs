//! `PUT /storage/ceph/pool/{pool}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use utoipa::IntoParams;

use super::{named, pgs};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::storage;

/// Arguments of a change of a pool.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SetArgs {
    /// How many placement groups it shall have: a power of two.
    pgs: u32,
}

/// Changes how many placement groups a pool has.
#[utoipa::path(put, path = "/api/v1/storage/ceph/pool/{pool}", operation_id = "pool_set_pgs",
    tag = "storage", params(("pool" = String, Path, description = "Its name"), SetArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not changed"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn set_pgs(
    State(app): State<App>,
    Path(pool): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let SetArgs { pgs } = SetArgs { pgs: pgs(&args)? };
    Ok(Json(Message::new(storage::set_pgs(&app, named(&pool)?, pgs).await?)))
}
