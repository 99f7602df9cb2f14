//! `GET /faults/{fault_id}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Fault;

use super::shown::faults;
use crate::api::ApiError;
use crate::app::App;

/// Shows one fault, as a list; an empty one if there is no such fault.
#[utoipa::path(get, path = "/api/v1/faults/{fault_id}", operation_id = "fault_show",
    tag = "fault", params(("fault_id" = String, Path, description = "Such as DEAD_NODE_HV2")),
    responses((status = 200, body = [Fault])))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(fault_id): Path<String>,
) -> Result<Json<Vec<Fault>>, ApiError> {
    let mut faults = faults(&*app.view()?);
    faults.retain(|fault| fault.id == fault_id);
    Ok(Json(faults))
}
