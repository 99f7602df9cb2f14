//! When a task is finished.

use std::time::Duration;

use pvc_client::{ClientError, Request, call};
use pvc_common::api::{TaskAccepted, TaskState};

use super::{BEGIN_LIMIT, Goal, Verdict, bar, until};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// How long a task that was accepted may wait for its node, which does a few at a time and may
/// be at work on long ones.
const QUEUE_LIMIT: Duration = Duration::from_mins(10);

/// Waits for one task.
#[derive(Debug)]
pub(crate) struct TaskWatch {
    id: String,
    /// The node that is to do it, if the API has just said so.
    run_on: Option<String>,
    /// Whether it was seen to have failed.
    failed: bool,
}

impl TaskWatch {
    /// A task of this name, if there is one.
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), run_on: None, failed: false }
    }

    /// A task that the API has just accepted, and tells which.
    fn accepted(session: &Session, task: TaskAccepted) -> Self {
        let TaskAccepted { task_id: id, task_name, run_on } = task;
        session.out.note(&format!("Task ID: {id} ({task_name}) assigned to node {run_on}"));
        Self { id, run_on: Some(run_on), failed: false }
    }

    fn not_begun(&self, elapsed: Duration) -> Option<String> {
        let (id, seconds) = (&self.id, elapsed.as_secs());
        match &self.run_on {
            // The API says the same of a task that waits and of one that nobody knows.
            None if elapsed > BEGIN_LIMIT => Some(format!(
                "Task {id} has not started within {seconds} s; perhaps there is no such task."
            )),
            Some(node) if elapsed > QUEUE_LIMIT => Some(format!(
                "Node {node} has not started task {id} within {seconds} s; \
                 `pvc cluster task {id}` waits for it further."
            )),
            None | Some(_) => None,
        }
    }
}

/// Begins a task and tells which; if `stay`, waits for its end and fails if it fails.
pub(crate) async fn task(session: &Session, request: &Request, stay: bool) -> Outcome {
    let task: TaskAccepted = session.read(request).await?;
    if !stay {
        let TaskAccepted { task_id: id, run_on, .. } = task;
        return session.out.data(&format!("Task ID: {id} assigned to node {run_on}"));
    }
    until(session, TaskWatch::accepted(session, task)).await
}

/// Why a task was not done.
pub(crate) struct NotDone {
    /// What to tell.
    pub(crate) why: Failure,
    /// Whether it was refused or failed, so that nothing of it is still to come.
    pub(crate) is_over: bool,
}

/// Begins a task, tells which, and waits for its end.
pub(crate) async fn task_done(session: &Session, request: &Request) -> Result<(), NotDone> {
    let task = session.client.read(request).await.map_err(|error| {
        let is_over = matches!(error, ClientError::Refused { .. } | ClientError::NotFound { .. });
        NotDone { why: error.into(), is_over }
    })?;
    let mut watch = TaskWatch::accepted(session, task);
    let ended = until(session, &mut watch).await;
    ended.map_err(|why| NotDone { why, is_over: watch.failed })
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
            "FAILURE" | "REVOKED" => {
                self.failed = true;
                Verdict::Failed(summary)
            }
            "PENDING" => match self.not_begun(elapsed) {
                Some(reason) => Verdict::Failed(reason),
                None => Verdict::Waiting(format!("Task {}: {}", self.id, seen.status)),
            },
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
    fn a_task_that_was_accepted_may_wait_for_others() {
        let mut watch = TaskWatch { id: "abc".into(), run_on: Some("hv1".into()), failed: false };
        let mut judge = |elapsed| watch.judge(&TaskState::pending(), elapsed);
        assert!(matches!(judge(BEGIN_LIMIT * 2), Verdict::Waiting(_)));
        let Verdict::Failed(reason) = judge(QUEUE_LIMIT * 2) else { panic!("not failed") };
        assert!(reason.contains("`pvc cluster task abc` waits"), "{reason}");
    }
}
