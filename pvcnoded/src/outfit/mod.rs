//! What a primary has on this machine: a list of parts, each of which follows it in its phase.
//!
//! A new part is an implementation of [`Part`] and an entry where the list is made.

mod addresses;
mod leader;
mod name_server;
mod question;
mod service;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pvc_plan::primary::{Held, Holding, Phase};
use tokio::task::JoinSet;

use crate::primary::{Outfit, OutfitError, Sight};

pub use addresses::{Floating, FloatingAddresses};
pub use leader::Leader;
pub(crate) use leader::PATRONI;
pub use name_server::{NAME_SERVER_FOLDER, NameServer};
pub use service::Service;

/// How long a part may take to be seen: many times what a program takes that asks systemd. An old
/// primary looks twice before it lets go of the addresses.
const LOOK: Duration = Duration::from_secs(2);
/// How long a part may take to be had, as a database that has to agree on its leader may.
const UP: Duration = Duration::from_secs(60);
/// How long the addresses may take to be laid down: others wait for nothing else, and there is
/// nothing else to be done meanwhile.
const ADDRESSES_DOWN: Duration = Duration::from_secs(20);
/// How long others may take to be laid down before the addresses are: whatever takes longer goes
/// on ending while they move, and is seen to again by the secondary.
const DOWN: Duration = Duration::from_secs(1);

/// What a part is doing.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, OutfitError>> + Send + 'a>>;

/// One thing that only the primary has. Every call is idempotent, and may be dropped anywhere.
pub trait Part: Send + Sync + 'static {
    /// What it is, for people.
    fn name(&self) -> &str;
    /// When it changes hands.
    fn phase(&self) -> Phase;
    /// Whether this machine has it now.
    fn held(&self) -> Doing<'_, Holding>;
    /// Has it here.
    fn take_up(&self) -> Doing<'_, ()>;
    /// Has it not here.
    fn lay_down(&self) -> Doing<'_, ()>;
}

/// The outfit of a real machine: the parts of a phase change hands at the same time.
#[derive(Clone)]
pub struct Parts(Vec<Arc<Known>>);

/// A part, and what is known of it while it cannot be looked at.
///
/// Invariant: what counts as absent was seen to be, or laid down, and nobody has tried to take it
/// up since. So a secondary lays down once what it cannot see, and not for ever.
struct Known {
    part: Arc<dyn Part>,
    absent: AtomicBool,
}

impl Known {
    fn note(&self, absent: bool) {
        self.absent.store(absent, Ordering::Relaxed);
    }

    /// What it counts as that cannot be looked at.
    fn unseen(&self) -> Holding {
        Holding { any: !self.absent.load(Ordering::Relaxed), all: false }
    }
}

/// How a part fared in what was to be done with it.
struct Fared<R> {
    known: Arc<Known>,
    outcome: Result<R, OutfitError>,
}

/// The trouble of all parts that have any.
fn trouble<R>(all: Vec<Fared<R>>) -> Result<(), OutfitError> {
    let failed = all.into_iter().filter_map(|fared| fared.outcome.err());
    let what: Vec<_> = failed.map(|error| error.what).collect();
    if what.is_empty() { Ok(()) } else { Err(OutfitError { what: what.join("; ") }) }
}

impl Parts {
    /// An outfit of these parts.
    #[must_use]
    pub fn new(parts: Vec<Arc<dyn Part>>) -> Self {
        let known = |part| Arc::new(Known { part, absent: AtomicBool::new(false) });
        Self(parts.into_iter().map(known).collect())
    }

    /// What its parts are, for people.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|known| known.part.name()).collect()
    }

    fn of(&self, phase: Phase) -> Vec<Arc<Known>> {
        self.0.iter().filter(|known| known.part.phase() == phase).cloned().collect()
    }
}

/// Has parts do something at the same time, each within a limit of its own; how each fared, in the
/// order of the parts.
async fn each<R: Send + 'static>(
    parts: Vec<Arc<Known>>,
    what: &'static str,
    limit: Duration,
    act: fn(&dyn Part) -> Doing<'_, R>,
) -> Vec<Fared<R>> {
    let mut doing = JoinSet::new();
    for (place, known) in parts.into_iter().enumerate() {
        doing.spawn(async move {
            let part = known.part.as_ref();
            let done = tokio::time::timeout(limit, act(part)).await;
            let late = || OutfitError { what: format!("not {what} within {} s", limit.as_secs()) };
            let outcome = done
                .unwrap_or_else(|_| Err(late()))
                .map_err(|error| OutfitError { what: format!("{}: {error}", part.name()) });
            (place, Fared { known, outcome })
        });
    }
    let mut all = doing.join_all().await;
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, fared)| fared).collect()
}

impl Outfit for Parts {
    async fn held(&self) -> Sight {
        let (mut seen, mut trouble) = (Vec::new(), Vec::new());
        for Fared { known, outcome } in each(self.0.clone(), "seen", LOOK, |part| part.held()).await
        {
            let holding = match outcome {
                Ok(holding) => {
                    known.note(!holding.any);
                    holding
                }
                Err(error) => {
                    trouble.push(error);
                    known.unseen()
                }
            };
            seen.push((known.part.phase(), holding));
        }
        let of = |phase| {
            let parts = seen.iter().filter(|(of, _)| *of == phase);
            Holding::of(parts.map(|(_, holding)| *holding))
        };
        let held = Held {
            addresses: of(Phase::Addresses),
            leader: of(Phase::Leader),
            services: of(Phase::Services),
        };
        Sight { held, trouble }
    }

    async fn take_up(&self, phase: Phase) -> Result<(), OutfitError> {
        let parts = self.of(phase);
        parts.iter().for_each(|known| known.note(false));
        trouble(each(parts, "had", UP, |part| part.take_up()).await)
    }

    async fn lay_down(&self, phase: Phase) -> Result<(), OutfitError> {
        let limit = match phase {
            Phase::Addresses => ADDRESSES_DOWN,
            Phase::Leader | Phase::Services => DOWN,
        };
        let all = each(self.of(phase), "laid down", limit, |part| part.lay_down()).await;
        let done = all.iter().filter(|fared| fared.outcome.is_ok());
        done.for_each(|fared| fared.known.note(true));
        trouble(all)
    }
}

/// The whole chain, for it is shown to people without it.
pub(crate) fn failure(error: impl std::error::Error) -> OutfitError {
    let mut what = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        what = format!("{what}: {cause}");
        source = cause.source();
    }
    OutfitError { what }
}
