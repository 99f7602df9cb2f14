//! `GET /node/{node}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Node;

use super::{listed, taken};
use crate::api::ApiError;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image::node;

/// Shows one node, as a list. The name may be a regular expression, and must match as a whole.
#[utoipa::path(get, path = "/api/v1/node/{node}", operation_id = "node_show", tag = "node",
    params(("node" = String, Path, description = "Short host name")),
    responses((status = 200, body = [Node]), (status = 404, description = "No such node")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Vec<Node>>, ApiError> {
    let limit = Limit::exact(&name)?;
    let view = app.view()?;
    let names = taken(&view, Some(&limit)).filter_map(|name| view.nodes.get_key_value(name));
    listed(names.map(|(name, facts)| node(name, facts, &view)).collect())
}
