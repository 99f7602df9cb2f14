//! When a task is finished.

use std::time::Duration;

use pvc_client::{Request, call};
use pvc_common::api::TaskState;

use super::{BEGIN_LIMIT, Goal, Verdict};

/// Waits for one task.
#[derive(Debug)]
pub(crate) struct TaskWatch {
    id: String,
}

impl TaskWatch {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned() }
    }
}

/// Twenty cells, filled as far as the task is.
fn bar(current: u64, total: u64) -> String {
    let total = total.max(1);
    let current = current.min(total);
    let filled = usize::try_from(current * 20 / total).unwrap_or(20);
    let percent = current * 100 / total;
    format!("[{}{}] {percent:3}%", "#".repeat(filled), "-".repeat(20 - filled))
}

impl Goal for TaskWatch {
    type Seen = TaskState;

    fn request(&self) -> Request {
        call::cluster::task(&self.id)
    }

    fn judge(&mut self, seen: &TaskState, elapsed: Duration) -> Verdict {
        let summary = format!("{}: {}", seen.state, seen.status);
        match seen.state.as_str() {
            "SUCCESS" => Verdict::Done(summary),
            "FAILURE" | "REVOKED" => Verdict::Failed(summary),
            // The API says the same of a task that waits and of one that nobody knows.
            "PENDING" if elapsed > BEGIN_LIMIT => Verdict::Failed(format!(
                "Task {} has not started within {} s; perhaps there is no such task.",
                self.id,
                elapsed.as_secs()
            )),
            "PENDING" => Verdict::Waiting(format!("Task {}: {}", self.id, seen.status)),
            _ => Verdict::Waiting(format!("{}  {}", bar(seen.current, seen.total), seen.status)),
        }
    }

    fn judge_missing(&mut self) -> Verdict {
        Verdict::Failed(format!("There is no task {}.", self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(state: &str, elapsed: Duration) -> Verdict {
        let seen = TaskState {
            state: state.into(),
            current: 2,
            total: 5,
            status: "copying".into(),
            result: None,
        };
        TaskWatch::new("abc").judge(&seen, elapsed)
    }

    #[test]
    fn a_running_task_shows_how_far_it_is() {
        let expected = "[########------------]  40%  copying";
        assert_eq!(judge("RUNNING", Duration::ZERO), Verdict::Waiting(expected.into()));
    }

    #[test]
    fn a_failed_task_is_a_failure() {
        let expected = "FAILURE: copying";
        assert_eq!(judge("FAILURE", Duration::ZERO), Verdict::Failed(expected.into()));
    }

    #[test]
    fn a_task_that_nobody_knows_is_not_waited_for_for_ever() {
        assert!(matches!(judge("PENDING", Duration::ZERO), Verdict::Waiting(_)));
        let late = BEGIN_LIMIT * 2;
        assert!(matches!(judge("PENDING", late), Verdict::Failed(_)));
    }

    #[test]
    fn a_bar_survives_odd_figures() {
        assert_eq!(bar(9, 0), "[####################] 100%");
        assert_eq!(bar(7, 5), "[####################] 100%");
    }
}
