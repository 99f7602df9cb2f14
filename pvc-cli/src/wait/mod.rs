//! Waiting for a node or a VM to get where it was sent, with progress.
//!
//! What an observation means is decided by pure functions ([`fence`], [`node`], [`vm`], [`task`]); this
//! module looks, shows and looks again. The exit code is the verdict's: waiting ends well
//! only when the goal was seen to be reached.

mod fence;
mod node;
mod patience;
mod progress;
mod task;
mod vm;

use std::time::{Duration, Instant};

use pvc_client::{ClientError, Request};
use pvc_common::api;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) use fence::{FenceGoal, proofs};
pub(crate) use node::NodeGoal;
pub(crate) use patience::Patience;
pub(crate) use progress::{Progress, bar};
pub(crate) use task::{NotDone, TaskWatch, task, task_done};
pub(crate) use vm::{Rest, VmGoal};

/// How often the API is asked.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long the transition may take to begin. A server answers a change only once it can be
/// seen, but one of upstream's may need a moment, and so does a hand-over of the API.
const BEGIN_LIMIT: Duration = Duration::from_secs(60);

/// What an observation means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not there yet: what is going on.
    Waiting(String),
    /// There: what to tell.
    Done(String),
    /// It will not get there: why not.
    Failed(String),
}

/// What is waited for: judges one observation after the other.
pub(crate) trait Goal {
    /// What the API answers.
    type Seen: serde::de::DeserializeOwned;

    /// What to ask the API.
    fn request(&self) -> Request;

    /// Judges what was seen `elapsed` after the beginning.
    fn judge(&mut self, seen: &Self::Seen, elapsed: Duration) -> Verdict;

    /// Judges that the API does not know the subject.
    fn judge_missing(&mut self) -> Verdict;
}

impl<G: Goal> Goal for &mut G {
    type Seen = G::Seen;

    fn request(&self) -> Request {
        (**self).request()
    }

    fn judge(&mut self, seen: &G::Seen, elapsed: Duration) -> Verdict {
        (**self).judge(seen, elapsed)
    }

    fn judge_missing(&mut self) -> Verdict {
        (**self).judge_missing()
    }
}

/// Looks until the goal is reached (and prints what the goal says) or cannot be.
pub(crate) async fn until<G: Goal>(session: &Session, mut goal: G) -> Outcome {
    let begun = Instant::now();
    let mut progress = Progress::new(session.out);
    let mut patience = Patience::default();
    let request = goal.request();
    loop {
        let verdict = match session.client.read(&request).await {
            Ok(seen) => {
                patience = Patience::default();
                goal.judge(&seen, begun.elapsed())
            }
            Err(ClientError::NotFound { .. }) => goal.judge_missing(),
            Err(error) if error.is_passing() && patience.lasts() => {
                Verdict::Waiting("the API does not answer".to_owned())
            }
            Err(error) => {
                progress.end();
                return Err(Failure::from(error));
            }
        };
        match verdict {
            Verdict::Waiting(text) => progress.show(&text, begun.elapsed()),
            Verdict::Done(text) => {
                progress.end();
                return session.out.data(&text);
            }
            Verdict::Failed(text) => {
                progress.end();
                return Err(Failure::new(text));
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The one element of a list, as the API answers for a single subject.
fn only<T>(list: &[T]) -> Option<&T> {
    match list {
        [only] => Some(only),
        [] | [_, _, ..] => None,
    }
}

/// The state that a node reports of itself.
type Nodes = Vec<api::Node>;
/// A VM as the API lists it.
type Vms = Vec<api::Vm>;
