//! `GET /network/{vni}/lease`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::NetworkLease;
use utoipa::IntoParams;

use super::listed;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::api::network::existing;
use crate::app::App;
use crate::image::leases;

/// Arguments of a list of leases.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// Regular expression that the hardware address matches.
    limit: Option<String>,
    /// Whether to list only what is kept.
    #[param(rename = "static", required = false)]
    only_static: bool,
}

/// Lists the addresses that a network keeps, then those that DHCP gave away.
#[utoipa::path(get, path = "/api/v1/network/{vni}/lease", operation_id = "network_lease_list",
    tag = "network",
    params(("vni" = String, Path, description = "VNI or description"), ListArgs),
    responses((status = 200, body = [NetworkLease]), (status = 400, description = "Bad expression"),
        (status = 404, description = "No such network or lease")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    Path(network): Path<String>,
    args: Args,
) -> Result<Json<Vec<NetworkLease>>, ApiError> {
    let wanted =
        ListArgs { limit: args.text("limit").map(str::to_owned), only_static: args.flag("static") };
    let limit = wanted.limit.as_deref().map(Limit::fuzzy).transpose()?;
    let network = existing(&*app.view()?, &network)?;
    let leases = leases(&network, wanted.only_static).into_iter();
    let fits =
        |lease: &NetworkLease| limit.as_ref().is_none_or(|limit| limit.takes(&lease.mac_address));
    listed(leases.filter(fits).collect())
}
