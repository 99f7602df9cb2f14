//! OSDs.

pub(in crate::api) mod add;
pub(in crate::api) mod database;
pub(in crate::api) mod list;
pub(in crate::api) mod refresh;
pub(in crate::api) mod remove;
pub(in crate::api) mod replace;
pub(in crate::api) mod show;
pub(in crate::api) mod state;
mod wanted;

use pvc_common::id::OsdId;
use pvc_common::model::Osd;

use crate::api::ApiError;
use crate::image::View;

/// The OSD of this number, which must exist.
fn existing<'a>(view: &'a View, text: &str) -> Result<(OsdId, &'a Osd), ApiError> {
    let id = text.parse::<OsdId>().ok();
    let found = id.and_then(|id| Some((id, &**view.osds.get(&id)?)));
    found.ok_or_else(|| ApiError::not_found("OSD"))
}
