//! `POST /storage/ceph/osd`

use axum::extract::State;
use pvc_common::api::TaskAccepted;
use pvc_common::model::Work;

use super::wanted::{Database, node, parsed};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::task::{Accepted, order};

/// Makes OSDs of a blank disk of a node; a task.
#[utoipa::path(post, path = "/api/v1/storage/ceph/osd", operation_id = "osd_add", tag = "storage",
    params(
        ("node" = String, Query, description = "The node that has the disk"),
        ("device" = String, Query, description = "The disk, by its path or as `detect:NAME:SIZE:ID`; it must be blank"),
        ("weight" = String, Query, description = "The share of the data that each takes"),
        ("ext_db_ratio" = Option<String>, Query,
            description = "Keeps databases apart, on the node's volume group for them: each so large a part of its OSD"),
        ("ext_db_size" = Option<String>, Query, description = "As before, but each of this size"),
        ("osd_count" = Option<u8>, Query, description = "How many share the disk; one by default")),
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not as expected")))]
pub(in crate::api) async fn add(State(app): State<App>, args: Args) -> Result<Accepted, ApiError> {
    let run_on = node(&*app.view()?, args.required("node")?)?;
    let Database { ratio, bytes } = Database::read(&args)?;
    let count: u8 = args.number("osd_count")?.unwrap_or(1);
    if count == 0 {
        return Err(ApiError::argument("osd_count", "expected a whole number from 1 to 255"));
    }
    let work = Work::AddOsds {
        device: parsed(&args, "device")?,
        weight: parsed(&args, "weight")?,
        ext_db_ratio: ratio,
        ext_db_size: bytes,
        split_count: count,
    };
    order(&app, work, run_on).await
}
