//! `POST /status`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Message;
use pvc_common::zk::key;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::{change, fetch};

/// Arguments of a change of maintenance mode.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct MaintenanceArgs {
    /// `true` for maintenance, `false` for normal operation.
    state: bool,
}

/// Sets or ends maintenance mode, in which no node is fenced unless a person orders it.
#[utoipa::path(post, path = "/api/v1/status", operation_id = "status_set_maintenance",
    tag = "root", params(MaintenanceArgs),
    responses((status = 200, body = Message), (status = 400, description = "Bad argument")))]
pub(in crate::api) async fn set_maintenance(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let state = args.required_choice("state", &[("true", true), ("false", false)])?;
    let wanted = MaintenanceArgs { state };
    let done = apply(&app, || async {
        let seen = fetch::one(app.store(), &key::maintenance()).await?;
        Ok(change::set_maintenance(&seen, wanted.state))
    });
    Ok(Json(Message::new(done.await?)))
}
