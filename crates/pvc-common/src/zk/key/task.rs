//! Keys below `/tasks`.

use super::{Key, TASKS};
use crate::id::TaskId;
use crate::model::{TaskOrder, TaskProgress};

/// The suffixes below a task.
pub mod task_suffix {
    /// How far it is.
    pub const PROGRESS: &str = "/progress";
}

/// `/tasks/{task}`: what was ordered (since version 18). Written by: API.
#[must_use]
pub fn task(id: &TaskId) -> Key<TaskOrder> {
    Key::new(format!("{TASKS}/{id}"))
}

/// `/tasks/{task}/progress`: how far it is (since version 18). Written by: the node that does it.
#[must_use]
pub fn task_progress(id: &TaskId) -> Key<TaskProgress> {
    Key::new(format!("{TASKS}/{id}{}", task_suffix::PROGRESS))
}
