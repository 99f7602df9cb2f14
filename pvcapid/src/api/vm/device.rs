//! `POST` and `DELETE /vm/{vm}/device`

use std::sync::Arc;

use axum::extract::{Path, State};
use pvc_common::api::TaskAccepted;
use pvc_common::model::{RunOn, Work};
use pvc_common::state::{VmState, Word};
use pvc_domxml::check_device;
use utoipa::IntoParams;

use super::{existing, home};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::change;
use crate::image::Shown;
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
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not running, or it cannot have it"),
        (status = 404, description = "No such VM")))]
pub(in crate::api) async fn attach(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Accepted, ApiError> {
    let (shown, xml) = device(&app, &name, &args)?;
    let home = home(&shown)?;
    if let RunOn::Node(node) = &home {
        change::check_device(shown.uuid(), node, &xml, &*app.view()?)?;
    }
    order(&app, Work::AttachDevice { domain: shown.uuid(), xml }, home).await
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
    let (shown, xml) = device(&app, &name, &args)?;
    order(&app, Work::DetachDevice { domain: shown.uuid(), xml }, home(&shown)?).await
}

/// The VM, which must run, and the device's element.
fn device(app: &App, name: &str, args: &Args) -> Result<(Arc<Shown>, String), ApiError> {
    let DeviceArgs { xml } = DeviceArgs { xml: args.required("xml")?.to_owned() };
    let device = check_device(&xml).map_err(|error| {
        let message = format!("ERROR: Specified XML document is not valid: {error}.");
        ApiError::refused("bad-xml", message)
    })?;
    let shown = existing(&*app.view()?, name)?;
    match shown.vm().state.copied() {
        Some(VmState::Start) => Ok((shown, device.to_owned())),
        state => {
            let state = state.map_or("unknown", Word::text);
            let message = format!("ERROR: VM '{name}' is in state {state}, not start.");
            Err(ApiError::refused("not-running", message))
        }
    }
}
