//! OSDs, as far as Ceph alone keeps what is changed: the tree shows it with the next figures.

use pvc_common::id::OsdId;
use pvc_common::state::{OsdFlag, Word};

use super::{Act, carry_out};
use crate::api::ApiError;
use crate::app::App;

/// Sets a flag of the whole cluster, or takes it away.
pub(crate) async fn set_flag(app: &App, flag: OsdFlag, wanted: bool) -> Result<String, ApiError> {
    carry_out(app, vec![format!("OSD property {}", flag.text())], |app| async move {
        app.storage().act(Act::SetFlag(flag, wanted)).await?;
        let did = if wanted { "Set" } else { "Unset" };
        Ok(format!("{did} OSD property '{}'.", flag.text()))
    })
    .await
}

/// Has data kept on an OSD, or moved away from it.
pub(crate) async fn set_in(app: &App, osd: OsdId, wanted: bool) -> Result<String, ApiError> {
    carry_out(app, vec![format!("OSD {osd}")], |app| async move {
        app.storage().act(Act::SetIn(osd, wanted)).await?;
        let how = if wanted { "online" } else { "offline" };
        Ok(format!("Set OSD {osd} {how}."))
    })
    .await
}
