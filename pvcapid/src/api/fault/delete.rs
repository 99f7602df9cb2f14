//! `DELETE /faults` and `DELETE /faults/{fault_id}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::FaultId;
use pvc_common::zk::key;

use super::acknowledge::known;
use crate::api::ApiError;
use crate::app::App;
use crate::apply::apply;
use crate::change;

/// Deletes all faults.
#[utoipa::path(delete, path = "/api/v1/faults", operation_id = "fault_delete_all", tag = "fault",
    responses((status = 200, body = Message)))]
pub(in crate::api) async fn all(State(app): State<App>) -> Result<Json<Message>, ApiError> {
    let ids: Vec<FaultId> = app.view()?.reported.keys().cloned().collect();
    delete(&app, &ids).await
}

/// Deletes one fault.
#[utoipa::path(delete, path = "/api/v1/faults/{fault_id}", operation_id = "fault_delete",
    tag = "fault", params(("fault_id" = String, Path, description = "Such as DEAD_NODE_HV2")),
    responses((status = 200, body = Message), (status = 404, description = "No such fault")))]
pub(in crate::api) async fn one(
    State(app): State<App>,
    Path(fault_id): Path<String>,
) -> Result<Json<Message>, ApiError> {
    delete(&app, &[known(&app, &fault_id)?]).await
}

async fn delete(app: &App, ids: &[FaultId]) -> Result<Json<Message>, ApiError> {
    let done = apply(app, || async {
        let mut branches = Vec::new();
        for id in ids {
            branches.push(app.store().branch(key::fault(id).path()).await?);
        }
        Ok(change::delete_faults(ids, &branches))
    });
    Ok(Json(Message::new(done.await?)))
}
