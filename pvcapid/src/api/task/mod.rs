//! Tasks: long work that a node does on behalf of a request.

pub(super) mod list;
pub(super) mod show;
