//! The words of a task.

use super::Word;

/// How far a task is, once somebody has begun it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskPhase {
    /// It is being done.
    Running,
    /// It is done.
    Success,
    /// It will not be done.
    Failure,
}

impl TaskPhase {
    /// Whether nothing more happens.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::Running => false,
            Self::Success | Self::Failure => true,
        }
    }
}

impl Word for TaskPhase {
    const KIND: &'static str = "phase of a task";
    const ALL: &'static [Self] = &[Self::Running, Self::Success, Self::Failure];

    fn text(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
        }
    }
}
