//! `GET /node/{node}/log`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::NodeLog;
use pvc_common::zk::key;
use utoipa::IntoParams;

use super::existing;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::text::last_lines;

/// Arguments of a request for a log.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct LogArgs {
    /// How many lines to show at most; 10 if it is not given.
    #[param(required = false)]
    lines: usize,
}

/// Shows the last lines of a node's log.
#[utoipa::path(get, path = "/api/v1/node/{node}/log", operation_id = "node_log", tag = "node",
    params(("node" = String, Path, description = "Short host name"), LogArgs),
    responses((status = 200, body = NodeLog), (status = 404, description = "No such node")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<NodeLog>, ApiError> {
    let LogArgs { lines } = LogArgs { lines: args.number("lines")?.unwrap_or(10) };
    let name = existing(&*app.view()?, &name)?;
    let entry = app.store().get(key::node_log_messages(&name).path()).await?;
    let data = entry.map(|entry| last_lines(&entry.data, lines)).unwrap_or_default();
    Ok(Json(NodeLog { name: name.to_string(), data }))
}
