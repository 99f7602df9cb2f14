//! Keys below `/fences`.

use super::{FENCES, Key};
use crate::id::FenceId;
use crate::model::Fence;

/// `/fences/{fence}`: a fence that is over, with its evidence. Written by: fence.
#[must_use]
pub fn past_fence(id: &FenceId) -> Key<Fence> {
    Key::new(format!("{FENCES}/{id}"))
}
