//! `GET` and `POST /node/{node}/coordinator-state`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::{Message, NodeCoordinatorState};
use pvc_common::zk::key;
use utoipa::IntoParams;

use super::{changeable, existing};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, CoordinatorWish};
use crate::fetch;
use crate::image::node;

/// Tells which part a node has in the coordination.
#[utoipa::path(get, path = "/api/v1/node/{node}/coordinator-state",
    operation_id = "node_coordinator_state", tag = "node",
    params(("node" = String, Path, description = "Short host name")),
    responses((status = 200, body = NodeCoordinatorState),
        (status = 404, description = "No such node")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<NodeCoordinatorState>, ApiError> {
    let view = app.view()?;
    let name = existing(&view, &name)?;
    let shown = node(&name, &view.nodes[&name], &view);
    let coordinator_state = shown.coordinator_state;
    Ok(Json(NodeCoordinatorState { name: shown.name, coordinator_state }))
}

/// Arguments of a change of the coordinator state.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SetArgs {
    /// `primary` to make it primary, `secondary` to let any other coordinator be.
    #[param(value_type = String)]
    state: CoordinatorWish,
}

/// Makes a node the primary coordinator, or lets another become it.
#[utoipa::path(post, path = "/api/v1/node/{node}/coordinator-state",
    operation_id = "node_set_coordinator_state", tag = "node",
    params(("node" = String, Path, description = "Short host name"), SetArgs),
    responses((status = 200, body = Message), (status = 400, description = "Cannot be")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wanted = SetArgs { state: args.required_choice("state", CoordinatorWish::WORDS)? };
    let view = app.view()?;
    let name = changeable(&view, &name)?;
    let done = apply(&app, || async {
        let primary = fetch::one(app.store(), &key::primary_node()).await?;
        change::set_coordinator_state(&name, &view.nodes[&name], &primary, wanted.state)
    });
    Ok(Json(Message::new(done.await?)))
}
