//! `GET` and `POST /vm/{vm}/state`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::{Message, VmStateAnswer};
use pvc_common::state::Word;
use utoipa::IntoParams;

use super::{Target, changeable, existing};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::apply::apply;
use crate::change::{self, StateWish};

/// Tells what a VM should be doing.
#[utoipa::path(get, path = "/api/v1/vm/{vm}/state", operation_id = "vm_state", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID")),
    responses((status = 200, body = VmStateAnswer), (status = 404, description = "No such VM")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<VmStateAnswer>, ApiError> {
    let shown = existing(&*app.view()?, &name)?;
    let state = shown.vm().state.copied().map_or("", Word::text).to_owned();
    Ok(Json(VmStateAnswer { name: shown.name().to_owned(), state }))
}

/// Arguments of a change of state.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct SetArgs {
    /// `start`, `shutdown`, `stop`, `restart` or `disable`.
    #[param(value_type = String)]
    state: StateWish,
    /// Whether to change a mirror; and to cut a VM off that is disabled.
    #[param(required = false)]
    force: bool,
    /// Whether to answer only when that is done.
    #[param(required = false)]
    wait: bool,
}

/// Starts, shuts down, stops, restarts or disables a VM.
#[utoipa::path(post, path = "/api/v1/vm/{vm}/state", operation_id = "vm_set_state", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), SetArgs),
    responses((status = 200, body = Message), (status = 400, description = "Cannot be"),
        (status = 504, description = "Begun, but not done yet")))]
pub(in crate::api) async fn set(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<Message>, ApiError> {
    let wanted = SetArgs {
        state: args.required_choice("state", StateWish::WORDS)?,
        force: args.flag("force"),
        wait: args.flag("wait"),
    };
    let target = changeable(&*app.view()?, &name)?;
    if wanted.state == StateWish::Disable && wanted.force {
        wish(&app, &target, StateWish::Stop, true).await?;
        fulfilled(&app, &target, StateWish::Stop).await?;
    }
    let begun = wish(&app, &target, wanted.state, wanted.force).await?;
    if !wanted.wait {
        return Ok(Json(Message::new(begun)));
    }
    fulfilled(&app, &target, wanted.state).await?;
    Ok(Json(Message::new(wanted.state.done(&target.name))))
}

async fn wish(
    app: &App,
    target: &Target,
    state: StateWish,
    force: bool,
) -> Result<String, ApiError> {
    let done = apply(app, || async {
        let vm = target.read(app).await?;
        change::set_state(target.uuid, &target.name, &vm, &*app.view()?, state, force)
    });
    done.await
}

/// Waits until the VM does as wished; says why if it never will.
async fn fulfilled(app: &App, target: &Target, wish: StateWish) -> Result<(), ApiError> {
    let name = &target.name;
    let settled = app.until(app.limits().wait, |view| {
        view.vm(target.uuid).is_none_or(|shown| wish.fulfilled(shown.vm()) != Ok(false))
    });
    let view = settled.await.ok_or_else(|| {
        ApiError::still_waiting(format!("VM '{name}' is still on its way; it goes on."))
    })?;
    let shown = view.vm(target.uuid).ok_or_else(|| super::no_such_vm(name))?;
    wish.fulfilled(shown.vm()).map(drop).map_err(|reason| {
        ApiError::refused("vm-failed", format!("ERROR: VM '{name}' failed: {reason}"))
    })
}
