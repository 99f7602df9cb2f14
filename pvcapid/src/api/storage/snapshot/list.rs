//! `GET /storage/ceph/snapshot`

use std::sync::Arc;

use axum::extract::State;
use pvc_common::api::VolumeSnapshot;
use pvc_common::id::SnapshotId;
use pvc_common::model::Snapshot;
use utoipa::IntoParams;

use crate::api::ApiError;
use crate::api::args::Args;
use crate::api::limit::Limit;
use crate::app::App;
use crate::image::Rendered;
use crate::listing::Listing;

/// Arguments of a list of snapshots; a snapshot is listed if all that are given fit.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ListArgs {
    /// The pool that holds its volume.
    pool: Option<String>,
    /// Its volume.
    volume: Option<String>,
    /// Regular expression that the name matches.
    limit: Option<String>,
}

impl ListArgs {
    fn parse(args: &Args) -> Self {
        let text = |name| args.text(name).map(str::to_owned);
        Self { pool: text("pool"), volume: text("volume"), limit: text("limit") }
    }

    /// Whether pool and volume fit.
    fn fit(&self, id: &SnapshotId) -> bool {
        self.pool.as_ref().is_none_or(|pool| id.of.pool.as_str() == pool)
            && self.volume.as_ref().is_none_or(|volume| id.of.volume.as_str() == volume)
    }
}

/// Lists snapshots of volumes, by name.
#[utoipa::path(get, path = "/api/v1/storage/ceph/snapshot", operation_id = "volume_snapshot_list",
    tag = "storage", params(ListArgs),
    responses((status = 200, body = [VolumeSnapshot]),
        (status = 400, description = "Bad expression"),
        (status = 404, description = "No such snapshot")))]
pub(in crate::api) async fn list(
    State(app): State<App>,
    args: Args,
) -> Result<Listing<Rendered<Snapshot>>, ApiError> {
    let wanted = ListArgs::parse(&args);
    let limit = wanted.limit.as_deref().map(Limit::fuzzy).transpose()?;
    let view = app.view()?;
    let snapshots = view.shown_snapshots().by_name().iter().filter(|snapshot| {
        wanted.fit(snapshot.id()) && limit.as_ref().is_none_or(|limit| limit.takes(snapshot.name()))
    });
    let snapshots: Vec<Arc<_>> = snapshots.cloned().collect();
    if snapshots.is_empty() {
        return Err(ApiError::not_found("Volume snapshot"));
    }
    Ok(Listing::new(snapshots))
}
