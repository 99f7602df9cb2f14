//! `POST /network/{vni}/lease` and `POST /network/{vni}/lease/{mac}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::network::checked;
use crate::app::App;
use crate::apply::apply;
use crate::change::network::{NewReservation, add_reservation, find, parse};
use crate::fetch;

/// Arguments of a reservation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct AddArgs {
    /// The address.
    ipaddress: String,
    /// The name that goes with it, without a domain.
    hostname: Option<String>,
}

/// Keeps an address for an interface.
#[utoipa::path(post, path = "/api/v1/network/{vni}/lease", operation_id = "network_lease_add",
    tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("macaddress" = String, Query, description = "Hardware address"), AddArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not kept")))]
pub(in crate::api) async fn add(
    State(app): State<App>,
    Path(network): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let mac = args.required("macaddress")?.to_owned();
    keep(&app, &network, &mac, &args).await
}

/// Keeps an address for the interface of this hardware address.
#[utoipa::path(post, path = "/api/v1/network/{vni}/lease/{mac}",
    operation_id = "network_lease_add_named", tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("mac" = String, Path, description = "Hardware address"), AddArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not kept")))]
pub(in crate::api) async fn add_named(
    State(app): State<App>,
    Path((network, mac)): Path<(String, String)>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    keep(&app, &network, &mac, &args).await
}

async fn keep(app: &App, network: &str, mac: &str, args: &Args) -> Result<Json<Message>, ApiError> {
    let AddArgs { ipaddress, hostname } = AddArgs {
        ipaddress: args.required("ipaddress")?.to_owned(),
        hostname: args.text("hostname").filter(|name| !name.is_empty()).map(str::to_owned),
    };
    let hostname = hostname.map(|text| checked("hostname", parse::hostname(&text)));
    let new = NewReservation {
        mac: checked("macaddress", parse::mac(mac))?,
        ip: checked("ipaddress", parse::address4(&ipaddress))?,
        hostname: hostname.transpose()?,
    };
    let naming = app.naming().await;
    let done = apply(app, || async {
        let view = app.networks().await?;
        let vni = find(&view, network)?;
        add_reservation(&fetch::network(app.store(), vni).await?, &new, view.among_networks())
    });
    let done = done.await?;
    drop(naming);
    Ok(Json(Message::new(done)))
}
