//! `DELETE /network/{vni}/lease/{mac}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;

use crate::api::ApiError;
use crate::app::App;
use crate::apply::apply;
use crate::change::network::{find, remove_lease};
use crate::fetch;

/// No longer keeps an address; or forgets one that DHCP gave away, if none is kept.
#[utoipa::path(delete, path = "/api/v1/network/{vni}/lease/{mac}",
    operation_id = "network_lease_remove", tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("mac" = String, Path, description = "Hardware address, IPv4 or IPv6 address, or hostname")),
    responses((status = 200, body = Message), (status = 400, description = "Not removed")))]
pub(in crate::api) async fn remove(
    State(app): State<App>,
    Path((network, whose)): Path<(String, String)>,
) -> Result<Json<Message>, ApiError> {
    let done = apply(&app, || async {
        let vni = find(&*app.view()?, &network)?;
        remove_lease(&fetch::network(app.store(), vni).await?, &whose)
    });
    Ok(Json(Message::new(done.await?)))
}
