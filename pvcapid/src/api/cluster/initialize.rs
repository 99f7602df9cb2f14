//! `POST /initialize`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Message;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::{Args, CONFIRMATION};
use crate::app::App;
use crate::image::View;
use crate::initialize::initialize as initialize_tree;

/// Arguments of an initialisation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct InitializeArgs {
    /// The text `True` deletes everything that is there.
    #[param(required = false)]
    overwrite: bool,
}

/// Makes an empty cluster.
#[utoipa::path(post, path = "/api/v1/initialize", operation_id = "initialize", tag = "root",
    params(InitializeArgs,
        ("yes-i-really-mean-it" = String, Query, description = "Must be given, with any text")),
    responses((status = 200, body = Message), (status = 400, description = "There is data")))]
pub(in crate::api) async fn initialize(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    args.required(CONFIRMATION)?;
    let InitializeArgs { overwrite } =
        InitializeArgs { overwrite: args.text("overwrite") == Some("True") };
    initialize_tree(app.store(), overwrite).await?;
    // The change is made, whether the own view shows it yet or not.
    app.until(app.limits().arrival, View::is_new).await;
    Ok(Json(Message::new("Successfully initialized cluster")))
}
