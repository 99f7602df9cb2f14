//! `GET /storage/ceph/pool`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Pool;
use utoipa::IntoParams;

use super::listed;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image::pools;

/// Arguments of a list of pools.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// Regular expression that the name matches.
    limit: Option<String>,
}

/// Lists pools, in the order in which Ceph made them.
#[utoipa::path(get, path = "/api/v1/storage/ceph/pool", operation_id = "pool_list",
    tag = "storage", params(ListArgs),
    responses((status = 200, body = [Pool]), (status = 400, description = "Bad expression"),
        (status = 404, description = "No such pool")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<Pool>>, ApiError> {
    let wanted = ListArgs { limit: args.text("limit").map(str::to_owned) };
    let limit = wanted.limit.as_deref().map(Limit::fuzzy).transpose()?;
    let mut pools = pools(&*app.view()?);
    pools.retain(|pool| limit.as_ref().is_none_or(|limit| limit.takes(&pool.name)));
    listed(pools)
}
