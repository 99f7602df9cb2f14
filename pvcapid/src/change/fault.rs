//! Faults: acknowledged or deleted by a person.

use pvc_common::id::FaultId;
use pvc_common::model::LocalTime;
use pvc_common::state::FaultStatus;
use pvc_common::zk::{Seen, key};
use pvc_zk::subtree::Branch;

use super::Change;

/// The keys of a fault that an acknowledgement writes.
pub(crate) struct Acknowledgeable {
    /// Which fault it is.
    pub(crate) id: FaultId,
    /// Whether somebody has taken note of it.
    pub(crate) status: Seen<FaultStatus>,
    /// When that was.
    pub(crate) ack_time: Seen<Option<LocalTime>>,
}

/// Marks faults as known since `now`; those that are stay as they are.
pub(crate) fn acknowledge(faults: &[Acknowledgeable], now: LocalTime) -> Change {
    let new = faults.iter().filter(|fault| fault.status.copied() != Some(FaultStatus::Ack));
    let ops = new.flat_map(|fault| {
        [
            key::fault_status(&fault.id).put(&fault.status, &FaultStatus::Ack),
            key::fault_ack_time(&fault.id).put(&fault.ack_time, &Some(now)),
        ]
    });
    let message =
        format!("Successfully acknowledged fault(s) {}", list(faults.iter().map(|f| &f.id)));
    Change { ops: ops.collect(), message }
}

/// Forgets faults, each found as a branch of the tree.
pub(crate) fn delete_faults(ids: &[FaultId], branches: &[Branch]) -> Change {
    let message = format!("Successfully deleted fault(s) {}", list(ids.iter()));
    Change { ops: branches.iter().flat_map(Branch::deletes).collect(), message }
}

fn list<'a>(ids: impl Iterator<Item = &'a FaultId>) -> String {
    ids.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
