//! `PUT /storage/ceph/volume/{pool}/{volume}`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::Message;
use utoipa::IntoParams;

use super::{named_volume, size};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::change::storage::new_name;
use crate::storage;

/// Arguments of a change of a volume: one of them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ModifyArgs {
    /// How large it shall be: a whole number and a unit, such as `20G`.
    new_size: Option<String>,
    /// What it shall be called.
    new_name: Option<String>,
    /// Whether to fill the pool beyond 80%.
    #[param(required = false)]
    force: bool,
}

/// Makes a volume larger, or renames it.
#[utoipa::path(put, path = "/api/v1/storage/ceph/volume/{pool}/{volume}",
    operation_id = "volume_modify", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds it"),
        ("volume" = String, Path, description = "Its name"), ModifyArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not changed"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn modify(
    State(app): State<App>,
    Path((pool, volume)): Path<(String, String)>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let text = |name| args.text(name).map(str::to_owned);
    let wanted = ModifyArgs {
        new_size: text("new_size"),
        new_name: text("new_name"),
        force: args.flag("force"),
    };
    let volume = named_volume(&pool, &volume)?;
    let done = match (wanted.new_size, wanted.new_name) {
        (Some(text), None) => {
            storage::grow_volume(&app, volume, size("new_size", &text)?, wanted.force).await?
        }
        (None, Some(text)) => {
            storage::rename_volume(&app, volume, new_name("new_name", &text)?).await?
        }
        (Some(_), Some(_)) => {
            let message = "Can only perform one modification at once";
            return Err(ApiError::refused("two-changes", message));
        }
        (None, None) => {
            let message = "At least one modification must be specified";
            return Err(ApiError::refused("no-change", message));
        }
    };
    Ok(Json(Message::new(done)))
}
