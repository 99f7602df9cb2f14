//! `POST /network` and `POST /network/{vni}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;

use super::checked;
use super::wanted::{Settings, TYPES, wish};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::network::{self, parse};
use crate::fetch;

/// Makes a network.
#[utoipa::path(post, path = "/api/v1/network", operation_id = "network_add", tag = "network",
    params(("vni" = u32, Query, description = "Its number, from 1 to 16777215; to 4094 if it is bridged"),
        ("description" = String, Query, description = "Its name for people: letters, digits, `.`, `_`, `-`"),
        ("nettype" = String, Query, description = "`managed` or `bridged`"), Settings),
    responses((status = 200, body = Message), (status = 400, description = "Not made")))]
pub(in crate::api) async fn add(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let vni = args.required("vni")?.to_owned();
    make(&app, &vni, &args).await
}

/// Makes a network of this number.
#[utoipa::path(post, path = "/api/v1/network/{vni}", operation_id = "network_add_numbered",
    tag = "network",
    params(("vni" = u32, Path, description = "Its number, from 1 to 16777215; to 4094 if it is bridged"),
        ("description" = String, Query, description = "Its name for people: letters, digits, `.`, `_`, `-`"),
        ("nettype" = String, Query, description = "`managed` or `bridged`"), Settings),
    responses((status = 200, body = Message), (status = 400, description = "Not made")))]
pub(in crate::api) async fn add_numbered(
    State(app): State<App>,
    Path(vni): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    make(&app, &vni, &args).await
}

async fn make(app: &App, vni: &str, args: &Args) -> Result<Json<Message>, ApiError> {
    let vni = checked("vni", parse::vni(vni))?;
    args.required("description")?;
    let kind = args.required_choice("nettype", &TYPES)?;
    let wish = wish(args)?;
    let naming = app.naming().await;
    let done = apply(app, || async {
        let view = app.networks().await?;
        let found = fetch::network(app.store(), vni).await?;
        network::add(&found, kind, &wish, view.among_networks())
    });
    let done = done.await?;
    drop(naming);
    Ok(Json(Message::new(done)))
}
