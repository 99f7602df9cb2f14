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
    let state = key::vm_state(uuid).put(&vm.state, &VmState::Delete);
    // Nobody shall find a node for it meanwhile.
    Change::of([Some(state), key::vm_displaced(uuid).delete(&vm.displaced)], "")
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

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Seen, Version};

    use super::*;

    #[test]
    fn a_vm_that_is_removed_no_longer_waits_for_a_node() {
        let uuid = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".parse().unwrap();
        let displaced = Seen::Value { value: Some("hv3".parse().unwrap()), version: Version(0) };
        let change = begin_removal(uuid, &Vm { displaced, ..Vm::default() });
        let paths: Vec<_> = change.ops.iter().map(|op| op.path().rsplit('/').next()).collect();
        assert_eq!(paths, [Some("state"), Some("displaced")]);
    }
}
