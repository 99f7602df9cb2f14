//! `POST /storage/ceph/option`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Message;
use pvc_common::state::{OsdFlag, Word};
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::storage;

/// Arguments of a change of a property.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct OptionArgs {
    /// The property, such as `noout`.
    #[param(value_type = String)]
    option: OsdFlag,
    /// `set` or `unset`.
    #[param(value_type = String)]
    action: bool,
}

/// Sets a property of all OSDs, or takes it away.
#[utoipa::path(post, path = "/api/v1/storage/ceph/option", operation_id = "storage_option",
    tag = "storage", params(OptionArgs),
    responses((status = 200, body = Message), (status = 400, description = "Not changed"),
        (status = 503, description = "The storage cluster does not answer")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let flags: Vec<_> = OsdFlag::ALL.iter().map(|flag| (flag.text(), *flag)).collect();
    let wanted = OptionArgs {
        option: args.required_choice("option", &flags)?,
        action: args.required_choice("action", &[("set", true), ("unset", false)])?,
    };
    let done = storage::set_flag(&app, wanted.option, wanted.action).await?;
    Ok(Json(Message::new(done)))
}
