//! `POST` and `DELETE /vm/{vm}/device`

use axum::extract::{Path, State};
use pvc_common::api::TaskAccepted;
use pvc_common::id::VmUuid;
use pvc_common::model::Work;
use pvc_common::state::{VmState, Word};
use pvc_domxml::check_device;
use utoipa::IntoParams;

use super::{existing, home};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::task::{Accepted, order};

/// Arguments of a device.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct DeviceArgs {
    /// The device, as its element of the definition.
    xml: String,
}

/// Gives a running VM a device, whose definition stays as it is; a task.
#[utoipa::path(post, path = "/api/v1/vm/{vm}/device", operation_id = "vm_attach_device", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), DeviceArgs),
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not running"),
        (status = 404, description = "No such VM")))]
pub(in crate::api) async fn attach(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Accepted, ApiError> {
    change(&app, &name, &args, |domain, xml| Work::AttachDevice { domain, xml }).await
}

/// Takes a device from a running VM, whose definition stays as it is; a task.
#[utoipa::path(delete, path = "/api/v1/vm/{vm}/device", operation_id = "vm_detach_device",
    tag = "vm", params(("vm" = String, Path, description = "Name or UUID"), DeviceArgs),
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not running"),
        (status = 404, description = "No such VM")))]
pub(in crate::api) async fn detach(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Accepted, ApiError> {
    change(&app, &name, &args, |domain, xml| Work::DetachDevice { domain, xml }).await
}

async fn change(
    app: &App,
    name: &str,
    args: &Args,
    work: fn(VmUuid, String) -> Work,
) -> Result<Accepted, ApiError> {
    let DeviceArgs { xml } = DeviceArgs { xml: args.required("xml")?.to_owned() };
    check_device(&xml).map_err(|error| {
        let message = format!("ERROR: Specified XML document is not valid: {error}.");
        ApiError::refused("bad-xml", message)
    })?;
    let shown = existing(&*app.view()?, name)?;
    match shown.vm().state.copied() {
        Some(VmState::Start) => order(app, work(shown.uuid(), xml), home(&shown)?).await,
        state => {
            let state = state.map_or("unknown", Word::text);
            let message = format!("ERROR: VM '{name}' is in state {state}, not start.");
            Err(ApiError::refused("not-running", message))
        }
    }
}
