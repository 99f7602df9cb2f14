//! Fences: those under way, and those that are over.

pub(super) mod list;
pub(super) mod show;
