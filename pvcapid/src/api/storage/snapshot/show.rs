//! `GET /storage/ceph/snapshot/{pool}/{volume}/{snapshot}`

use axum::extract::{Path, State};
use pvc_common::api::VolumeSnapshot;
use pvc_common::id::{SnapshotId, VolumeId};
use pvc_common::model::Snapshot;

use crate::api::ApiError;
use crate::app::App;
use crate::image::{Rendered, View};
use crate::listing::Listing;

/// Shows one snapshot of a volume, as a list.
#[utoipa::path(get, path = "/api/v1/storage/ceph/snapshot/{pool}/{volume}/{snapshot}",
    operation_id = "volume_snapshot_show", tag = "storage",
    params(("pool" = String, Path, description = "The pool that holds its volume"),
        ("volume" = String, Path, description = "Its volume"),
        ("snapshot" = String, Path, description = "Its name")),
    responses((status = 200, body = [VolumeSnapshot]),
        (status = 404, description = "No such snapshot")))]
pub(in crate::api) async fn show(
    State(app): State<App>,
    Path((pool, volume, snapshot)): Path<(String, String, String)>,
) -> Result<Listing<Rendered<Snapshot>>, ApiError> {
    let found = find(&*app.view()?, &pool, &volume, &snapshot);
    found.ok_or_else(|| ApiError::not_found("Volume snapshot"))
}

fn find(
    view: &View,
    pool: &str,
    volume: &str,
    snapshot: &str,
) -> Option<Listing<Rendered<Snapshot>>> {
    let of = VolumeId { pool: pool.parse().ok()?, volume: volume.parse().ok()? };
    let id = SnapshotId { of, snapshot: snapshot.parse().ok()? };
    Some(Listing::new(vec![view.shown_snapshots().get(&id)?.clone()]))
}
