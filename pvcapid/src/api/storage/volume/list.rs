//! `GET /storage/ceph/volume`

use std::sync::Arc;

use axum::extract::State;
use pvc_common::api;
use pvc_common::id::PoolName;
use pvc_common::model::Volume;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image::{Rendered, View};
use crate::listing::Listing;

/// Arguments of a list of volumes; a volume is listed if all that are given fit.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// Regular expression that the name matches.
    limit: Option<String>,
    /// The pool that holds it.
    pool: Option<String>,
}

/// Lists volumes, by name.
#[utoipa::path(get, path = "/api/v1/storage/ceph/volume", operation_id = "volume_list",
    tag = "storage", params(ListArgs),
    responses((status = 200, body = [api::Volume]),
        (status = 400, description = "Bad expression, or no such pool"),
        (status = 404, description = "No such volume")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Listing<Rendered<Volume>>, ApiError> {
    let text = |name| args.text(name).map(str::to_owned);
    let wanted = ListArgs { limit: text("limit"), pool: text("pool") };
    let limit = wanted.limit.as_deref().map(Limit::fuzzy).transpose()?;
    let view = app.view()?;
    let pool = wanted.pool.map(|text| existing(&view, &text)).transpose()?;
    let volumes = view.shown_volumes().by_name().iter().filter(|volume| {
        pool.as_ref().is_none_or(|pool| volume.id().pool == *pool)
            && limit.as_ref().is_none_or(|limit| limit.takes(volume.name()))
    });
    let volumes: Vec<Arc<_>> = volumes.cloned().collect();
    if volumes.is_empty() { Err(ApiError::not_found("Volume")) } else { Ok(Listing::new(volumes)) }
}

/// The pool of this name, which must exist.
fn existing(view: &View, text: &str) -> Result<PoolName, ApiError> {
    let name = text.parse::<PoolName>().ok().filter(|name| view.pools.contains_key(name));
    name.ok_or_else(|| {
        let message = format!("ERROR: There is no pool '{text}'.");
        ApiError::refused("no-such-pool", message)
    })
}
