//! `PUT /faults` and `PUT /faults/{fault_id}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::FaultId;
use pvc_common::model::LocalTime;
use pvc_common::zk::{Text, key};

use crate::api::ApiError;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, Acknowledgeable};
use crate::fetch;

/// Acknowledges all faults.
#[utoipa::path(put, path = "/api/v1/faults", operation_id = "fault_acknowledge_all",
    tag = "fault", responses((status = 200, body = Message)))]
pub(in crate::api) async fn all(State(app): State<App>) -> Result<Json<Message>, ApiError> {
    let ids: Vec<FaultId> = app.view()?.reported.keys().cloned().collect();
    acknowledge(&app, &ids).await
}

/// Acknowledges one fault: it no longer lowers the health.
#[utoipa::path(put, path = "/api/v1/faults/{fault_id}", operation_id = "fault_acknowledge",
    tag = "fault", params(("fault_id" = String, Path, description = "Such as DEAD_NODE_HV2")),
    responses((status = 200, body = Message), (status = 404, description = "No such fault")))]
pub(in crate::api) async fn one(
    State(app): State<App>,
    Path(fault_id): Path<String>,
) -> Result<Json<Message>, ApiError> {
    acknowledge(&app, &[known(&app, &fault_id)?]).await
}

/// The fault of this id, which must exist.
pub(super) fn known(app: &App, text: &str) -> Result<FaultId, ApiError> {
    let view = app.view()?;
    let id = text.parse::<FaultId>().ok().filter(|id| view.reported.contains_key(id));
    id.ok_or_else(|| ApiError::missing(format!("No fault with ID {text} found")))
}

async fn acknowledge(app: &App, ids: &[FaultId]) -> Result<Json<Message>, ApiError> {
    let now = pvc_runtime::log::local_time();
    let now = LocalTime::decode(&now).map_err(|error| ApiError::internal(&error))?;
    let done = apply(app, || async {
        let mut faults = Vec::new();
        for id in ids {
            faults.push(Acknowledgeable {
                id: id.clone(),
                status: fetch::one(app.store(), &key::fault_status(id)).await?,
                ack_time: fetch::one(app.store(), &key::fault_ack_time(id)).await?,
            });
        }
        Ok(change::acknowledge(&faults, now))
    });
    Ok(Json(Message::new(done.await?)))
}
