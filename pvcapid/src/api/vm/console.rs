//! `GET /vm/{vm}/console`

use axum::Json;
use axum::extract::{Path, State};
use pvc_common::api::VmConsole;
use pvc_common::zk::key;
use utoipa::IntoParams;

use super::existing;
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::text::last_lines;

/// Arguments of a request for a console log.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ConsoleArgs {
    /// How many lines to show at most; 10 if it is not given.
    #[param(required = false)]
    lines: usize,
}

/// Shows the last lines of a VM's console.
#[utoipa::path(get, path = "/api/v1/vm/{vm}/console", operation_id = "vm_console", tag = "vm",
    params(("vm" = String, Path, description = "Name or UUID"), ConsoleArgs),
    responses((status = 200, body = VmConsole), (status = 404, description = "No such VM")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    args: Args,
) -> Result<Json<VmConsole>, ApiError> {
    let ConsoleArgs { lines } = ConsoleArgs { lines: args.number("lines")?.unwrap_or(10) };
    let shown = existing(&*app.view()?, &name)?;
    let entry = app.store().get(key::vm_console_log(shown.uuid()).path()).await?;
    let data = entry.map(|entry| last_lines(&entry.data, lines)).unwrap_or_default();
    Ok(Json(VmConsole { name: shown.name().to_owned(), data }))
}
