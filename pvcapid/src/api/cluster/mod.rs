//! The cluster as a whole.

pub(super) mod backup;
pub(super) mod initialize;
pub(super) mod maintenance;
pub(super) mod primary_node;
pub(super) mod restore;
pub(super) mod root;
pub(super) mod status;
mod storage;
pub(super) mod summary;
