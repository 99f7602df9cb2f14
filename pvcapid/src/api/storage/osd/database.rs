//! `POST /storage/ceph/osddb`

use axum::extract::State;
use pvc_common::api::TaskAccepted;
use pvc_common::model::Work;

use super::wanted::{node, parsed};
use crate::api::ApiError;
use crate::api::args::Args;
use crate::app::App;
use crate::task::{Accepted, order};

/// Makes a blank disk of a node the place of its OSDs' databases; a task.
#[utoipa::path(post, path = "/api/v1/storage/ceph/osddb", operation_id = "osd_add_db_group",
    tag = "storage", params(
        ("node" = String, Query, description = "The node that has the disk"),
        ("device" = String, Query, description = "The disk, by its path or as `detect:NAME:SIZE:ID`; it must be blank")),
    responses((status = 202, body = TaskAccepted), (status = 400, description = "Not as expected")))]
pub(in crate::api) async fn add_group(
    State(app): State<App>,
    args: Args,
) -> Result<Accepted, ApiError> {
    let run_on = node(&*app.view()?, args.required("node")?)?;
    order(&app, Work::AddDbGroup { device: parsed(&args, "device")? }, run_on).await
}
