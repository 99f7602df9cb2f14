//! Faults of the cluster.

pub(super) mod acknowledge;
pub(super) mod delete;
pub(super) mod list;
pub(super) mod show;
pub(super) mod shown;
