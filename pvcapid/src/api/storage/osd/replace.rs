//! `POST /storage/ceph/osd/{osdid}`

use axum::extract::{Path, State};
use pvc_common::api::TaskAccepted;
use pvc_common::id::Disk;
use pvc_common::model::Work;

use super::wanted::{Database, home, optional, parsed};
use crate::api::ApiError;
use crate::api::args::{Args, CONFIRMATION};
use crate::app::App;
use crate::task::{Accepted, order};

/// Gives an OSD, and all that share its disk, another disk; a task.
#[utoipa::path(post, path = "/api/v1/storage/ceph/osd/{osdid}", operation_id = "osd_replace",
    tag = "storage", params(("osdid" = String, Path, description = "Its number"),
        ("new_device" = String, Query, description = "The disk, by its path or as `detect:NAME:SIZE:ID`; it must be blank"),
        ("old_device" = Option<String>, Query, description = "Not needed: it is known"),
        ("weight" = Option<String>, Query, description = "Another share of the data"),
        ("ext_db_ratio" = Option<String>, Query,
            description = "Keeps databases apart, on the node's volume group for them: each so large a part of its OSD"),
        ("ext_db_size" = Option<String>, Query, description = "As before, but each of this size"),
        ("yes-i-really-mean-it" = String, Query, description = "Must be given, with any text")),
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not as expected"),
        (status = 404, description = "No such OSD")))]
pub(in crate::api) async fn replace(
    State(app): State<App>,
    Path(id): Path<String>,
    args: Args,
) -> Result<Accepted, ApiError> {
    args.required(CONFIRMATION)?;
    let (osd_id, run_on) = home(&*app.view()?, &id)?;
    let new_device: Disk = parsed(&args, "new_device")?;
    let Database { ratio, bytes } = Database::read(&args)?;
    let weight = optional(&args, "weight")?;
    let work =
        Work::ReplaceOsds { osd_id, new_device, weight, ext_db_ratio: ratio, ext_db_size: bytes };
    order(&app, work, run_on).await
}
