//! Removing a VM: asked to stop for good, and forgotten once nobody may be running it.

use pvc_common::id::VmUuid;
use pvc_common::model::Vm;
use pvc_common::state::VmState;
use pvc_common::zk::key;
use pvc_zk::subtree::Branch;

use super::Change;
use crate::api::ApiError;

/// Asks whoever runs the VM to cut it off and let go of it.
pub(crate) fn begin_removal(uuid: VmUuid, vm: &Vm) -> Change {
    if vm.state.copied() == Some(VmState::Delete) {
        return Change::nothing("");
    }
    Change::of([Some(key::vm_state(uuid).put(&vm.state, &VmState::Delete))], "")
}

/// Forgets a VM, unless somebody may be running it.
///
/// A claim that is made meanwhile makes the transaction fail, for then the VM has a child more.
pub(crate) fn finish_removal(
    uuid: VmUuid,
    found: &Branch,
    message: String,
) -> Result<Change, ApiError> {
    let claim = key::vm_claim(uuid).into_path();
    if found.znodes().iter().any(|(path, _)| *path == claim) {
        return Err(ApiError::refused("claimed", "ERROR: The VM is still running."));
    }
    Ok(Change { ops: found.deletes(), message })
}
