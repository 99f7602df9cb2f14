//! `PUT /network/{vni}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;

use super::wanted::{Settings, wish};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::network;
use crate::fetch;

/// Changes settings of a network; those that are not given stay.
#[utoipa::path(put, path = "/api/v1/network/{vni}", operation_id = "network_modify", tag = "network",
    params(("vni" = String, Path, description = "VNI or description"),
        ("description" = Option<String>, Query, description = "Its name for people"), Settings),
    responses((status = 200, body = Message), (status = 400, description = "Not changed")))]
pub(in crate::api) async fn modify(
    State(app): State<App>,
    Path(text): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wish = wish(&args)?;
    let naming = app.naming().await;
    let done = apply(&app, || async {
        let view = app.networks().await?;
        let vni = network::find(&view, &text)?;
        let found = fetch::network(app.store(), vni).await?;
        network::modify(&text, &found, &wish, view.among_networks())
    });
    let done = done.await?;
    drop(naming);
    Ok(Json(Message::new(done)))
}
