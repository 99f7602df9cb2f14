//! What a request changes: pure functions from what was read to a guarded transaction.

mod fault;
mod fence;
mod maintenance;
pub(crate) mod network;
mod node;
mod sriov;
pub(crate) mod storage;
mod vm_define;
mod vm_device;
mod vm_mac;
mod vm_meta;
mod vm_modify;
mod vm_move;
mod vm_network;
mod vm_remove;
mod vm_state;
mod vm_tag;

pub(crate) use fault::{Acknowledgeable, acknowledge, delete_faults};
pub(crate) use fence::{Condemnable, FenceWish, order_fence};
pub(crate) use maintenance::set_maintenance;
pub(crate) use node::{CoordinatorWish, DomainWish, set_coordinator_state, set_domain_state};
pub(crate) use sriov::{SettableVf, VfWish, set_vf};
pub(crate) use vm_define::{NewVm, check_fit, define};
pub(crate) use vm_device::check_device;
pub(crate) use vm_meta::{MetaWish, checked_limit, set_meta};
pub(crate) use vm_modify::{Definable, modify, rename, unchanged};
pub(crate) use vm_move::{MoveKind, MoveWish, move_vm};
pub(crate) use vm_remove::{begin_removal, finish_removal};
pub(crate) use vm_state::{StateWish, set_state};
pub(crate) use vm_tag::{add_tag, remove_tag};

use pvc_common::zk::Op;

/// A transaction and what to tell whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Nothing to do when empty.
    pub(crate) ops: Vec<Op>,
    /// What is being done.
    pub(crate) message: String,
}

impl Change {
    /// Everything is as wished already.
    pub(crate) fn nothing(message: impl Into<String>) -> Self {
        Self { ops: Vec::new(), message: message.into() }
    }

    /// These operations, leaving out those that are not needed.
    pub(crate) fn of(
        ops: impl IntoIterator<Item = Option<Op>>,
        message: impl Into<String>,
    ) -> Self {
        Self { ops: ops.into_iter().flatten().collect(), message: message.into() }
    }
}

/// Data that cannot be understood is not overwritten by a change that depends on it.
pub(crate) fn unreadable(what: &str) -> crate::api::ApiError {
    crate::api::ApiError::refused(
        "unreadable",
        format!("ERROR: {what} cannot be understood as the cluster's database holds it."),
    )
}
