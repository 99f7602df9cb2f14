//! `GET /storage/ceph/osd`

use axum::Json;
use axum::extract::State;
use pvc_common::api::Osd;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image::osd;

/// Arguments of a list of OSDs.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// Regular expression that the number matches.
    limit: Option<String>,
}

/// Lists OSDs, by number.
#[utoipa::path(get, path = "/api/v1/storage/ceph/osd", operation_id = "osd_list", tag = "storage",
    params(ListArgs),
    responses((status = 200, body = [Osd]), (status = 400, description = "Bad expression"),
        (status = 404, description = "No such OSD")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Json<Vec<Osd>>, ApiError> {
    let wanted = ListArgs { limit: args.text("limit").map(str::to_owned) };
    let limit = wanted.limit.as_deref().map(Limit::fuzzy).transpose()?;
    let view = app.view()?;
    let taken = view
        .osds
        .iter()
        .filter(|(id, _)| limit.as_ref().is_none_or(|limit| limit.takes(&id.to_string())));
    let osds: Vec<Osd> = taken.map(|(id, facts)| osd(*id, facts)).collect();
    if osds.is_empty() { Err(ApiError::not_found("OSD")) } else { Ok(Json(osds)) }
}
