//! `GET /vm/{vm}`

use axum::extract::{Path, State};
use pvc_common::api::Vm;

use super::listed;
use crate::api::ApiError;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image::Shown;
use crate::listing::Listing;

/// Shows one VM, as a list. The name may be a regular expression, and must match as a whole.
#[utoipa::path(get, path = "/api/v1/vm/{vm}", operation_id = "vm_show", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID")),
    responses((status = 200, body = [Vm]), (status = 404, description = "No such VM")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Listing<Shown>, ApiError> {
    let view = app.view()?;
    if let Some(vm) = view.find_vm(&name) {
        return Ok(Listing::new(vec![vm.clone()]));
    }
    let limit = Limit::exact(&name)?;
    let vms = view.vms_by_name().iter().filter(|shown| limit.takes(shown.name()));
    listed(vms.cloned().collect())
}
