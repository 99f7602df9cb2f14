//! `GET /network/{vni}/acl/{description}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::NetworkAcl;

use super::listed;
use crate::api::ApiError;
use crate::api::network::existing;
use crate::app::App;
use crate::image::rules;

/// Shows one firewall rule of a network, as a list.
#[utoipa::path(get, path = "/api/v1/network/{vni}/acl/{description}",
    operation_id = "network_acl_show", tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("description" = String, Path, description = "The rule's description")),
    responses((status = 200, body = [NetworkAcl]),
        (status = 404, description = "No such network or rule")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path((network, description)): Path<(String, String)>,
) -> Result<Json<Vec<NetworkAcl>>, ApiError> {
    let network = existing(&*app.view()?, &network)?;
    let rules = rules(&network).into_iter().filter(|(name, _, _)| name.as_str() == description);
    listed(rules.map(|(_, _, rule)| rule).collect())
}
