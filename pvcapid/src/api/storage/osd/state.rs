//! `GET` and `POST /storage/ceph/osd/{osdid}/state`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::{Message, OsdState};
use utoipa::IntoParams;

use super::existing;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::image::osd_state;
use crate::storage;

/// Tells whether an OSD runs, and whether it holds data.
#[utoipa::path(get, path = "/api/v1/storage/ceph/osd/{osdid}/state", operation_id = "osd_state",
    tag = "storage", params(("osdid" = String, Path, description = "Its number")),
    responses((status = 200, body = OsdState), (status = 404, description = "No such OSD")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<OsdState>, ApiError> {
    let view = app.view()?;
    let (id, facts) = existing(&view, &id)?;
    Ok(Json(osd_state(id, facts)))
}

/// Arguments of a change of an OSD's state.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct StateArgs {
    /// `in` to have data kept on it, `out` to have it moved away.
    #[param(value_type = String)]
    state: bool,
}

/// Has data kept on an OSD, or moved away from it. `GET` shows it with the next figures of Ceph.
#[utoipa::path(post, path = "/api/v1/storage/ceph/osd/{osdid}/state", operation_id = "osd_set_state",
    tag = "storage", params(("osdid" = String, Path, description = "Its number"), StateArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not changed"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    Path(id): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let words = [("in", true), ("out", false)];
    let StateArgs { state } = StateArgs { state: args.required_choice("state", &words)? };
    let no_osd = |_| ApiError::refused("no-such-osd", format!("ERROR: There is no OSD '{id}'."));
    let osd = existing(&*app.view()?, &id).map(|(osd, _)| osd).map_err(no_osd)?;
    Ok(Json(Message::new(storage::set_in(&app, osd, state).await?)))
}
