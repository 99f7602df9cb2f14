//! `GET /storage/ceph/pool/{pool}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Pool;

use super::listed;
use crate::api::ApiError;
use crate::app::App;
use crate::image::pools;

/// Shows one pool, as a list.
#[utoipa::path(get, path = "/api/v1/storage/ceph/pool/{pool}", operation_id = "pool_show",
    tag = "storage", params(("pool" = String, Path, description = "Its name")),
    responses((status = 200, body = [Pool]), (status = 404, description = "No such pool")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Pool>>, ApiError> {
    let mut pools = pools(&*app.view()?);
    pools.retain(|pool| pool.name == name);
    listed(pools)
}
