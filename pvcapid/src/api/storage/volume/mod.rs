//! Volumes.

pub(in crate::api) mod list;
pub(in crate::api) mod show;
