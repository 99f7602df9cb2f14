//! `DELETE /network/{vni}/acl/{description}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::RuleName;
use pvc_common::zk::key::Direction;
use utoipa::IntoParams;

use super::DIRECTIONS;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::network::{find, parse, remove_rule};
use crate::fetch;

/// Arguments of a removal.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct RemoveArgs {
    /// `in` or `out`, where there is a rule of this description for each.
    #[param(value_type = Option<String>)]
    direction: Option<Direction>,
}

/// Removes a firewall rule of a network.
#[utoipa::path(delete, path = "/api/v1/network/{vni}/acl/{description}",
    operation_id = "network_acl_remove", tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("description" = String, Path, description = "The rule's description"), RemoveArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not removed")))]
pub(in crate::api) async fn remove(
    State(app): State<App>,
    Path((network, description)): Path<(String, String)>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let RemoveArgs { direction } = RemoveArgs { direction: args.choice("direction", &DIRECTIONS)? };
    // Not as a new one is checked: upstream took others.
    let name: RuleName = description.parse().map_err(|_| {
        let why = format!("ERROR: There is no firewall rule {}.", parse::quoted(&description));
        ApiError::refused("no-such-rule", why)
    })?;
    let done = apply(&app, || async {
        let vni = find(&*app.view()?, &network)?;
        remove_rule(&fetch::network(app.store(), vni).await?, &name, direction)
    });
    Ok(Json(Message::new(done.await?)))
}
