//! `GET /sriov/pf` and `GET /sriov/pf/{node}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::SriovPf;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::sriov::of_node;
use crate::app::App;
use crate::image::pfs;

/// Arguments of a list of physical functions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// The node they are in.
    node: String,
}

/// Lists the physical functions of a node.
#[utoipa::path(get, path = "/api/v1/sriov/pf", operation_id = "sriov_pf_list", tag = "sriov",
    params(ListArgs),
    responses((status = 200, body = [SriovPf]), (status = 400, description = "No node given"),
        (status = 404, description = "No such node, or it has none")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<SriovPf>>, ApiError> {
    let wanted = ListArgs { node: args.required("node")?.to_owned() };
    listed(&app, &wanted.node)
}

/// Lists the physical functions of a node.
#[utoipa::path(get, path = "/api/v1/sriov/pf/{node}", operation_id = "sriov_pf_list_of_node",
    tag = "sriov", params(("node" = String, Path, description = "Short host name")),
    responses((status = 200, body = [SriovPf]),
        (status = 404, description = "No such node, or it has none")))]
pub(in crate::api) async fn list_of_node(
    State(app): State<App>,
    Path(node): Path<String>,
) -> Result<Json<Vec<SriovPf>>, ApiError> {
    listed(&app, &node)
}

/// Upstream's clients expect a refusal rather than an empty list.
fn listed(app: &App, node: &str) -> Result<Json<Vec<SriovPf>>, ApiError> {
    let view = app.view()?;
    let (_, sriov) = of_node(&view, node).ok_or_else(|| ApiError::not_found("Node"))?;
    let found = sriov.map(pfs).unwrap_or_default();
    if found.is_empty() { Err(ApiError::not_found("PF")) } else { Ok(Json(found)) }
}
