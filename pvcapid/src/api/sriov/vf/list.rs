//! `GET /sriov/vf` and `GET /sriov/vf/{node}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::SriovVf;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::sriov::of_node;
use crate::app::App;
use crate::image::vfs;

/// Arguments of a list of virtual functions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// The node they are in.
    node: String,
    /// The physical function they belong to; all of them if it is not given.
    pf: Option<String>,
}

/// Lists the virtual functions of a node.
#[utoipa::path(get, path = "/api/v1/sriov/vf", operation_id = "sriov_vf_list", tag = "sriov",
    params(ListArgs),
    responses((status = 200, body = [SriovVf]), (status = 400, description = "No such node"),
        (status = 404, description = "There are none")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<SriovVf>>, ApiError> {
    let wanted = ListArgs {
        node: args.required("node")?.to_owned(),
        pf: args.text("pf").map(str::to_owned),
    };
    listed(&app, &wanted.node, wanted.pf.as_deref())
}

/// Arguments of a list of the virtual functions of one node.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListOfNodeArgs {
    /// The physical function they belong to; all of them if it is not given.
    pf: Option<String>,
}

/// Lists the virtual functions of a node.
#[utoipa::path(get, path = "/api/v1/sriov/vf/{node}", operation_id = "sriov_vf_list_of_node",
    tag = "sriov",
    params(("node" = String, Path, description = "Short host name"), ListOfNodeArgs),
    responses((status = 200, body = [SriovVf]), (status = 400, description = "No such node"),
        (status = 404, description = "There are none")))]
pub(in crate::api) async fn list_of_node(
    State(app): State<App>,
    Path(node): Path<String>,
    args: Args,
) -> Result<Json<Vec<SriovVf>>, ApiError> {
    let wanted = ListOfNodeArgs { pf: args.text("pf").map(str::to_owned) };
    listed(&app, &node, wanted.pf.as_deref())
}

/// Upstream's clients expect a refusal rather than an empty list.
fn listed(app: &App, node: &str, pf: Option<&str>) -> Result<Json<Vec<SriovVf>>, ApiError> {
    let view = app.view()?;
    let (_, sriov) = of_node(&view, node).ok_or_else(|| {
        let why = format!("ERROR: Specified node '{node}' is invalid.");
        ApiError::refused("no-such-node", why)
    })?;
    let pf = pf.filter(|pf| !pf.is_empty());
    let found = sriov.map(|sriov| vfs(sriov, pf)).unwrap_or_default();
    if found.is_empty() { Err(ApiError::not_found("VF")) } else { Ok(Json(found)) }
}
