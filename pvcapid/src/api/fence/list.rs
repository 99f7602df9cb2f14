//! `GET /fence`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Fence;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::image::fences;

/// Arguments of a list of fences.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// The node that was fenced; any if it is not given.
    node: Option<String>,
    /// How many to list at most; all if it is not given.
    limit: Option<usize>,
}

/// Lists the fences of nodes, under way and over, the newest first; an empty list if there are none.
#[utoipa::path(get, path = "/api/v1/fence", operation_id = "fence_list", tag = "node",
    params(ListArgs),
    responses((status = 200, body = [Fence]), (status = 400, description = "Bad number")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<Fence>>, ApiError> {
    let wanted =
        ListArgs { node: args.text("node").map(str::to_owned), limit: args.number("limit")? };
    let mut fences = fences(&*app.view()?);
    fences.retain(|fence| wanted.node.as_ref().is_none_or(|node| *node == fence.node));
    fences.truncate(wanted.limit.unwrap_or(usize::MAX));
    Ok(Json(fences))
}
