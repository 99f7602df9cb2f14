//! `DELETE /network/{vni}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::network;
use crate::fetch;

/// Arguments of a removal.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct RemoveArgs {
    /// Whether to remove a network that VMs have interfaces in. While they run they keep these, which lead
    /// nowhere then.
    #[param(required = false)]
    force: bool,
}

/// Removes a network, with its reservations, leases and firewall rules.
#[utoipa::path(delete, path = "/api/v1/network/{vni}", operation_id = "network_remove",
    tag = "network",
    params(("vni" = String, Path, description = "VNI or description"), RemoveArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not removed")))]
pub(in crate::api) async fn remove(
    State(app): State<App>,
    Path(text): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let RemoveArgs { force } = RemoveArgs { force: args.flag("force") };
    // No VM is put into it meanwhile.
    let naming = app.naming().await;
    let vni = network::find(&*app.view()?, &text)?;
    if !force {
        network::unused(vni, &*app.view()?)?;
    }
    loop {
        let done =
            apply(&app, || async { network::remove(&fetch::network(app.store(), vni).await?) });
        let done = done.await?;
        if !done.is_empty() {
            drop(naming);
            return Ok(Json(Message::new(done)));
        }
    }
}
