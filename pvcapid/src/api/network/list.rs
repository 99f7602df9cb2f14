//! `GET /network`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Network;
use utoipa::IntoParams;

use super::listed;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image;

/// Arguments of a list of networks.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// Regular expression that the VNI or the description matches.
    limit: Option<String>,
}

/// Lists networks, by VNI.
#[utoipa::path(get, path = "/api/v1/network", operation_id = "network_list", tag = "network",
    params(ListArgs),
    responses((status = 200, body = [Network]), (status = 400, description = "Bad expression"),
        (status = 404, description = "No such network")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<Network>>, ApiError> {
    let wanted = ListArgs { limit: args.text("limit").map(str::to_owned) };
    let limit = wanted.limit.as_deref().map(Limit::fuzzy).transpose()?;
    let view = app.view()?;
    let networks = view.networks.iter().map(|(vni, network)| image::network(*vni, network, &view));
    let fits = |network: &Network| {
        limit.as_ref().is_none_or(|limit| {
            limit.takes(&network.vni.to_string()) || limit.takes(&network.description)
        })
    };
    listed(networks.filter(fits).collect())
}
