//! `GET /network/{vni}/acl`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::NetworkAcl;
use pvc_common::zk::key::Direction;
use utoipa::IntoParams;

use super::{DIRECTIONS, listed};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::api::network::existing;
use crate::app::App;
use crate::image::rules;

/// Arguments of a list of firewall rules.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// Regular expression that the description matches.
    limit: Option<String>,
    /// `in` for what enters the network, `out` for what leaves it; both by default.
    #[param(value_type = Option<String>)]
    direction: Option<Direction>,
}

/// Lists the firewall rules of a network, in their order.
#[utoipa::path(get, path = "/api/v1/network/{vni}/acl", operation_id = "network_acl_list",
    tag = "network",
    params(("vni" = String, Path, description = "VNI or description"), ListArgs),
    responses((status = 200, body = [NetworkAcl]), (status = 400, description = "Bad argument"),
        (status = 404, description = "No such network or rule")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    Path(network): Path<String>,
    args: Args,
) -> Result<Json<Vec<NetworkAcl>>, ApiError> {
    let wanted = ListArgs {
        limit: args.text("limit").map(str::to_owned),
        direction: args.choice("direction", &DIRECTIONS)?,
    };
    let limit = wanted.limit.as_deref().map(Limit::fuzzy).transpose()?;
    let network = existing(&*app.view()?, &network)?;
    let rules = rules(&network).into_iter().filter(|(name, direction, _)| {
        wanted.direction.is_none_or(|wanted| wanted == *direction)
            && limit.as_ref().is_none_or(|limit| limit.takes(name.as_str()))
    });
    listed(rules.map(|(_, _, rule)| rule).collect())
}
