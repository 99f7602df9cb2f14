//! `GET /storage/ceph/status` and `GET /storage/ceph/utilization`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pvc_common::api::StorageText;
use pvc_common::zk::Seen;

use crate::api::ApiError;
use crate::app::App;
use crate::image::View;

/// Shows what `ceph status` says.
#[utoipa::path(get, path = "/api/v1/storage/ceph/status", operation_id = "storage_status",
    tag = "storage", responses((status = 200, body = StorageText)))]
pub(in crate::api) async fn status(State(app): State<App>) -> Result<Json<StorageText>, ApiError> {
    let view = app.view()?;
    Ok(Json(shown(&view, "status", &view.storage.status)))
}

/// Shows what `ceph df` says.
#[utoipa::path(get, path = "/api/v1/storage/ceph/utilization",
    operation_id = "storage_utilization", tag = "storage",
    responses((status = 200, body = StorageText)))]
pub(in crate::api) async fn utilization(
    State(app): State<App>,
) -> Result<Json<StorageText>, ApiError> {
    let view = app.view()?;
    Ok(Json(shown(&view, "utilization", &view.storage.util)))
}

fn shown(view: &View, kind: &str, text: &Seen<Arc<str>>) -> StorageText {
    let primary = view.cluster.primary_node.get().and_then(Option::as_ref);
    StorageText {
        kind: kind.to_owned(),
        primary_node: primary.map_or_else(|| "none".to_owned(), ToString::to_string),
        ceph_data: text.get().map(ToString::to_string).unwrap_or_default(),
    }
}
