//! What every reconciler of this process is doing, for people who ask.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Why an activation happened. Told to people, never to the reconciler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The view changed (or was there for the first time).
    View,
    /// Somebody asked for it: an observation changed, a job ended.
    Nudge,
    /// The time that the last activation had asked for.
    Wake,
    /// Nothing happened for a whole period.
    Period,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Nudge => "nudge",
            Self::Wake => "wake",
            Self::Period => "period",
        })
    }
}

/// What a reconciler is doing now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It has not seen the cluster yet.
    Inert,
    /// It waits for something to happen.
    Idle,
    /// It is at work since this moment, for this reason.
    Running(Instant, Reason),
    /// It was told to stop.
    Stopped,
}

/// The last finished activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Why it happened.
    pub reason: Reason,
    /// How long it took.
    pub took: Duration,
    /// When it was over.
    pub at: Instant,
    /// What it reported.
    pub report: String,
}

/// What is known of one reconciler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it is doing now.
    pub activity: Activity,
    /// Its last finished activation.
    pub last: Option<Finished>,
    /// How many activations it has finished.
    pub activations: u64,
}

/// The status of every reconciler of this process, by name. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<Mutex<BTreeMap<&'static str, Status>>>);

impl Registry {
    /// The status of everything, as of now.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<&'static str, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn activity(&self, name: &'static str, activity: Activity) {
        self.edit(name, |status| status.activity = activity);
    }

    pub(super) fn finished(&self, name: &'static str, finished: Finished) {
        self.edit(name, |status| {
            status.activity = Activity::Idle;
            status.activations += 1;
            status.last = Some(finished);
        });
    }

    fn edit(&self, name: &'static str, edit: impl FnOnce(&mut Status)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        edit(all.entry(name).or_insert(Status {
            activity: Activity::Inert,
            last: None,
            activations: 0,
        }));
    }
}
