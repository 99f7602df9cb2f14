//! `GET /storage/ceph/volume/{pool}/{volume}`

use axum::extract::{Path, State};
use pvc_common::api;
use pvc_common::id::VolumeId;
use pvc_common::model::Volume;

use crate::api::ApiError;
use crate::app::App;
use crate::image::{Rendered, View};
use crate::listing::Listing;

/// Shows one volume, as a list.
#[utoipa::path(get, path = "/api/v1/storage/ceph/volume/{pool}/{volume}",
    operation_id = "volume_show", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds it"),
        ("volume" = String, Path, description = "Its name")),
    responses((status = 200, body = [api::Volume]),
        (status = 404, description = "No such volume")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path((pool, volume)): Path<(String, String)>,
) -> Result<Listing<Rendered<Volume>>, ApiError> {
    let found = find(&*app.view()?, &pool, &volume);
    found.ok_or_else(|| ApiError::not_found("Volume"))
}

fn find(view: &View, pool: &str, volume: &str) -> Option<Listing<Rendered<Volume>>> {
    let id = VolumeId { pool: pool.parse().ok()?, volume: volume.parse().ok()? };
    Some(Listing::new(vec![view.shown_volumes().get(&id)?.clone()]))
}
