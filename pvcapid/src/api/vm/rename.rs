//! `POST /vm/{vm}/rename`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use pvc_common::id::{BadId, VmName};
use utoipa::IntoParams;

use super::changeable;
use super::modify::definable;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change;

/// Arguments of a change of name.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct RenameArgs {
    /// The name it shall have.
    #[param(value_type = String)]
    new_name: VmName,
}

/// Gives a stopped VM another name. Its volumes keep theirs.
#[utoipa::path(post, path = "/api/v1/vm/{vm}/rename", operation_id = "vm_rename", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), RenameArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not renamed")))]
pub(in crate::api) async fn rename(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let new_name = args.required("new_name")?.parse();
    let new_name =
        new_name.map_err(|bad: BadId| ApiError::argument("new_name", bad.to_string()))?;
    let wanted = RenameArgs { new_name };
    let naming = app.naming().await;
    let target = changeable(&*app.view()?, &name)?;
    let done = apply(&app, || async {
        let was = definable(&app, &target).await?;
        change::rename(target.uuid, &was, &wanted.new_name, &*app.view()?)
    });
    let done = done.await?;
    drop(naming);
    Ok(Json(Message::new(done)))
}
