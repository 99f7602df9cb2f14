//! What a daemon remembers of a VM between activations.
//!
//! All of it may be lost at any moment (a restart of the daemon) without harm: a shutdown is
//! asked for again and gets its full time again, a migration is tried again, and a crash loop
//! is noticed again.

use std::time::{Duration, Instant};

use pvc_common::observed::RunState;
use pvc_common::zk::Expected;

use super::{Here, Job, Wish};

/// A VM that dies sooner than this after its start counts as crashing.
const QUICK_DEATH: Duration = Duration::from_secs(20);

/// The longest wait between two starts of a VM that keeps crashing.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// How often a live migration is tried for one wish before the next best way is taken.
const MIGRATION_TRIES: u32 = 2;

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As wished.
    Done,
    /// It was refused, with the reason; trying again without a change is pointless.
    Refused(String),
    /// It is not known what happened, or it may work later.
    Unclear(String),
}

/// A shutdown that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    wish: Wish,
    pub(super) first: Instant,
    pub(super) last: Instant,
}

/// Starts that came to nothing, of one wish: a VM that is stopped and started by people, however
/// quickly, is not crashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Backoff {
    wish: Wish,
    times: u32,
    until: Instant,
}

/// What a daemon remembers of a VM between activations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    asked: Option<Asked>,
    incoming: Option<(Expected, Instant)>,
    started: Option<(Wish, Instant)>,
    backoff: Option<Backoff>,
    start_refused: Option<(Wish, String)>,
    migration_failures: Option<(Wish, u32, String)>,
}

impl Memory {
    /// Takes in what libvirt says now, and which version of the claim was read before, ahead of
    /// planning.
    pub fn observe(&mut self, here: Here, claim: Expected, now: Instant) {
        self.incoming = match here {
            Here::Present(RunState::Incoming) => {
                self.incoming.filter(|(seen, _)| *seen == claim).or(Some((claim, now)))
            }
            Here::Unknown => self.incoming,
            Here::Absent | Here::Present(_) => None,
        };
        match here {
            Here::Unknown => {}
            Here::Absent => {
                self.asked = None;
                if let Some((wish, started)) = self.started.take() {
                    if now.saturating_duration_since(started) < QUICK_DEATH {
                        self.back_off(wish, now);
                    } else {
                        self.backoff = None;
                    }
                }
            }
            Here::Present(_) => {}
        }
    }

    /// Takes in how a job ended that was begun for `wish`.
    pub fn ended(&mut self, job: &Job, outcome: &Outcome, wish: Wish, now: Instant) {
        match (job, outcome) {
            (Job::Start, Outcome::Done) => self.started = Some((wish, now)),
            (Job::Start, Outcome::Refused(why)) => self.start_refused = Some((wish, why.clone())),
            (Job::Start | Job::Destroy, Outcome::Unclear(_)) => self.back_off(wish, now),
            (Job::AskShutdown, Outcome::Done | Outcome::Refused(_) | Outcome::Unclear(_)) => {
                let first = self.asked(wish).map_or(now, |asked| asked.first);
                self.asked = Some(Asked { wish, first, last: now });
            }
            (Job::Migrate { .. }, Outcome::Refused(why) | Outcome::Unclear(why)) => {
                let tries = match &self.migration_failures {
                    Some((former, tries, _)) if *former == wish => tries + 1,
                    Some(_) | None => 1,
                };
                self.migration_failures = Some((wish, tries, why.clone()));
            }
            (Job::Migrate { .. } | Job::Destroy, Outcome::Done)
            | (Job::Destroy, Outcome::Refused(_)) => {}
        }
    }

    /// Since when the VM has been waiting here for its source while its claim stayed the same.
    pub(super) fn incoming_since(&self) -> Option<Instant> {
        self.incoming.map(|(_, since)| since)
    }

    /// The shutdown that was asked for because of `wish`.
    pub(super) fn asked(&self, wish: Wish) -> Option<Asked> {
        self.asked.filter(|asked| asked.wish == wish)
    }

    /// The earliest time for the next start because of `wish`.
    pub(super) fn not_before(&self, wish: Wish) -> Option<Instant> {
        self.backoff.filter(|backoff| backoff.wish == wish).map(|backoff| backoff.until)
    }

    /// Why the start for `wish` was refused.
    pub(super) fn start_refused(&self, wish: Wish) -> Option<&str> {
        match &self.start_refused {
            Some((former, why)) if *former == wish => Some(why),
            Some(_) | None => None,
        }
    }

    /// Why no further live migration is tried for `wish`.
    pub(super) fn migration_failed(&self, wish: Wish) -> Option<&str> {
        match &self.migration_failures {
            Some((former, tries, why)) if *former == wish && *tries >= MIGRATION_TRIES => Some(why),
            Some(_) | None => None,
        }
    }

    fn back_off(&mut self, wish: Wish, now: Instant) {
        let before = self.backoff.filter(|backoff| backoff.wish == wish);
        let times = before.map_or(0, |backoff| backoff.times).saturating_add(1);
        let wait = Duration::from_secs(1 << (times - 1).min(6)).min(LONGEST_BACKOFF);
        self.backoff = Some(Backoff { wish, times, until: now + wait });
    }
}
