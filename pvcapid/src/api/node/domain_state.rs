//! `GET` and `POST /node/{node}/domain-state`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::{Message, NodeDomainState};
use pvc_common::id::NodeName;
use utoipa::IntoParams;

use super::{changeable, existing};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, DomainWish};
use crate::fetch;
use crate::image::{View, node};

/// Tells whether a node takes VMs.
#[utoipa::path(get, path = "/api/v1/node/{node}/domain-state",
    operation_id = "node_domain_state", tag = "node",
    params(("node" = String, Path, description = "Short host name")),
    responses((status = 200, body = NodeDomainState),
        (status = 404, description = "No such node")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<NodeDomainState>, ApiError> {
    let view = app.view()?;
    let name = existing(&view, &name)?;
    let shown = node(&name, &view.nodes[&name], &view);
    Ok(Json(NodeDomainState { name: shown.name, domain_state: shown.domain_state }))
}

/// Arguments of a change of the domain state.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SetArgs {
    /// `flush` to empty the node, `ready` to return it to service.
    #[param(value_type = String)]
    state: DomainWish,
    /// Whether to answer only when that is done.
    #[param(required = false)]
    wait: bool,
}

/// Empties a node, or returns it to service.
#[utoipa::path(post, path = "/api/v1/node/{node}/domain-state",
    operation_id = "node_set_domain_state", tag = "node",
    params(("node" = String, Path, description = "Short host name"), SetArgs),
    responses((status = 200, body = Message), (status = 400, description = "No such node"),
        (status = 504, description = "Begun, but not done yet")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wanted = SetArgs {
        state: args.required_choice("state", DomainWish::WORDS)?,
        wait: args.flag("wait"),
    };
    let name = changeable(&*app.view()?, &name)?;
    let begun = apply(&app, || async {
        let seen = fetch::domain_state(app.store(), &name).await?;
        change::set_domain_state(&name, &seen, wanted.state)
    });
    let begun = begun.await?;
    if wanted.wait && begun != wanted.state.already(&name) {
        settled(&app, &name, wanted.state).await?;
        return Ok(Json(Message::new(wanted.state.done(&name))));
    }
    Ok(Json(Message::new(begun)))
}

/// Waits until the node is no longer on its way, and has arrived.
async fn settled(app: &App, name: &NodeName, wish: DomainWish) -> Result<(), ApiError> {
    let state = |view: &View| view.nodes.get(name)?.domain_state.copied();
    let settled = app.until(app.limits().wait, |view| state(view) != Some(wish.under_way()));
    let view = settled.await.ok_or_else(|| {
        ApiError::still_waiting(format!("Node {name} is still on its way; it goes on."))
    })?;
    if state(&view) == Some(wish.fulfilled()) {
        return Ok(());
    }
    let message = format!("ERROR: Something else was asked of node {name} meanwhile.");
    Err(ApiError::refused("superseded", message))
}
