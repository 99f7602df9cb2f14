//! `GET /network/{vni}/lease/{mac}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::NetworkLease;
use pvc_common::id::MacAddress;

use super::listed;
use crate::api::ApiError;
use crate::api::network::existing;
use crate::app::App;
use crate::image::leases;

/// Shows what a network keeps for an interface and what DHCP gave it, as a list.
#[utoipa::path(get, path = "/api/v1/network/{vni}/lease/{mac}", operation_id = "network_lease_show",
    tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("mac" = String, Path, description = "Hardware address")),
    responses((status = 200, body = [NetworkLease]),
        (status = 404, description = "No such network or lease")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path((network, mac)): Path<(String, String)>,
) -> Result<Json<Vec<NetworkLease>>, ApiError> {
    let network = existing(&*app.view()?, &network)?;
    let wanted = mac.parse().map(|mac: MacAddress| mac.to_string());
    let leases = leases(&network, false).into_iter();
    listed(leases.filter(|lease| wanted.as_ref() == Ok(&lease.mac_address)).collect())
}
