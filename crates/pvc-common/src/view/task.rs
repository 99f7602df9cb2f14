//! Reads tasks.

use super::branch::{Branch, Found, Taken, read};
use crate::model::Task;
use crate::zk::key::task_suffix as suffix;

impl Branch for Task {
    fn take(&mut self, rest: &str, found: Found<'_>) -> Taken {
        match rest {
            "" => read(&mut self.order, found),
            suffix::PROGRESS => read(&mut self.progress, found),
            _ => Taken::Unwanted,
        }
    }
}
