//! `POST /node/{node}/fence`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::NodeName;
use pvc_common::state::DaemonMode;
use utoipa::IntoParams;

use super::changeable;
use crate::api::ApiError;
use crate::api::args::{Args, CONFIRMATION};
use crate::app::App;
use crate::apply::apply;
use crate::auth::Caller;
use crate::change::{self, FenceWish};
use crate::fetch;
use crate::image::View;

/// Arguments of an order about a node's death.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct OrderArgs {
    /// `fence` to have it fenced, whoever hears it; `confirm-dead` to say that somebody has seen
    /// to it that it is off, which is proof; `cancel` to take back what nobody has acted on.
    #[param(value_type = String)]
    action: FenceWish,
}

/// Has a node fenced, says that it is off, or takes such an order back.
///
/// Coordinators act on the order; what becomes of it is seen in the node's `fence` and in
/// `GET /fence`. The daemon's log says who ordered what.
#[utoipa::path(post, path = "/api/v1/node/{node}/fence", operation_id = "node_fence", tag = "node",
    params(("node" = String, Path, description = "Short host name"), OrderArgs,
        ("yes-i-really-mean-it" = Option<String>, Query,
            description = "Must be given, with any text, unless the action is `cancel`")),
    responses((status = 200, body = Message), (status = 400, description = "Cannot be")))]
pub(in crate::api) async fn order(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let OrderArgs { action } =
        OrderArgs { action: args.required_choice("action", FenceWish::WORDS)? };
    if action.is_destructive() {
        args.required(CONFIRMATION)?;
    }
    let view = app.view()?;
    let name = changeable(&view, &name)?;
    let others = other_coordinators(&view, &name);
    let done = apply(&app, || async {
        let now = fetch::condemnable(app.store(), &name, &others).await?;
        change::order_fence(&name, &now, action)
    });
    let message = done.await?;
    tracing::info!(node.name = %name, "fence of node {name}: {action} by {caller}: {message}");
    Ok(Json(Message::new(message)))
}

fn other_coordinators(view: &View, name: &NodeName) -> Vec<NodeName> {
    let others = view.nodes.iter().filter(|(other, node)| {
        *other != name && node.mode.copied() == Some(DaemonMode::Coordinator)
    });
    others.map(|(other, _)| other.clone()).collect()
}
