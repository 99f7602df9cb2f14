//! `GET /backup`

use axum::Json;
use axum::extract::State;
use pvc_common::zk::key;
use serde_json::{Map, Value};

use crate::api::ApiError;
use crate::app::App;

/// The branch of another program in the same ensemble.
const FOREIGN: &str = "/patroni";

/// Gives everything the cluster's database holds, but for the passwords of BMCs, which each
/// node writes anew when it starts.
///
/// The answer is a JSON text that holds a JSON object from paths to texts: so clients expect it.
#[utoipa::path(get, path = "/api/v1/backup", operation_id = "backup", tag = "root",
    responses((status = 200, body = String)))]
pub(in crate::api) async fn backup(State(app): State<App>) -> Result<Json<String>, ApiError> {
    let view = app.view()?;
    let passwords = view.nodes.keys().map(|node| key::node_ipmi_password(node).into_path());
    let skipped: Vec<String> = passwords.chain([FOREIGN.to_owned()]).collect();
    let dump = app.store().dump(&skipped).await?;
    let object: Map<String, Value> = dump
        .into_iter()
        // What is not text was never ours: every value of the cluster is.
        .filter_map(|znode| Some((znode.path, Value::String(String::from_utf8(znode.data).ok()?))))
        .collect();
    serde_json::to_string(&object).map(Json).map_err(|error| ApiError::internal(&error))
}
