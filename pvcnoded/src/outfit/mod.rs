//! What a primary has on this machine: a list of parts, each of which follows it in its phase.
//!
//! A new part is an implementation of [`Part`] and an entry where the list is made.

mod addresses;
mod leader;
mod name_server;
mod service;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pvc_plan::primary::{Held, Holding, Phase};
use tokio::task::JoinSet;

use crate::primary::{Outfit, OutfitError};

pub use addresses::{Floating, FloatingAddresses};
pub use leader::Leader;
pub use name_server::NameServer;
pub use service::Service;

/// How long a part may take to be seen.
const LOOK: Duration = Duration::from_secs(10);
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
pub struct Parts(Vec<Arc<dyn Part>>);

impl Parts {
    /// An outfit of these parts.
    #[must_use]
    pub const fn new(parts: Vec<Arc<dyn Part>>) -> Self {
        Self(parts)
    }

    /// Has every part do something within a limit; the trouble of all that fail, if any does.
    async fn all<R: Send + 'static>(
        &self,
        wanted: impl Fn(&dyn Part) -> bool,
        what: &str,
        limit: Duration,
        act: fn(&dyn Part) -> Doing<'_, R>,
    ) -> Result<Vec<(Phase, R)>, OutfitError> {
        let mut doing = JoinSet::new();
        for part in self.0.iter().filter(|part| wanted(part.as_ref())) {
            let part = Arc::clone(part);
            let late = format!("not {what} within {} s", limit.as_secs());
            doing.spawn(async move {
                let done = tokio::time::timeout(limit, act(part.as_ref())).await;
                let done = done.unwrap_or(Err(OutfitError { what: late }));
                let phase = part.phase();
                done.map(|done| (phase, done)).map_err(|error| format!("{}: {error}", part.name()))
            });
        }
        let (mut all, mut trouble) = (Vec::new(), Vec::new());
        for done in doing.join_all().await {
            match done {
                Ok(done) => all.push(done),
                Err(why) => trouble.push(why),
            }
        }
        if trouble.is_empty() { Ok(all) } else { Err(OutfitError { what: trouble.join("; ") }) }
    }
}

impl Outfit for Parts {
    async fn held(&self) -> Result<Held, OutfitError> {
        let all = self.all(|_| true, "seen", LOOK, |part| part.held()).await?;
        let of = |phase| {
            let parts = all.iter().filter(|(of, _)| *of == phase);
            Holding::of(parts.map(|(_, holding)| *holding))
        };
        Ok(Held {
            addresses: of(Phase::Addresses),
            leader: of(Phase::Leader),
            services: of(Phase::Services),
        })
    }

    async fn take_up(&self, phase: Phase) -> Result<(), OutfitError> {
        self.all(|part| part.phase() == phase, "had", UP, |part| part.take_up()).await?;
        Ok(())
    }

    async fn lay_down(&self, phase: Phase) -> Result<(), OutfitError> {
        let limit = match phase {
            Phase::Addresses => ADDRESSES_DOWN,
            Phase::Leader | Phase::Services => DOWN,
        };
        let of = |part: &dyn Part| part.phase() == phase;
        self.all(of, "laid down", limit, |part| part.lay_down()).await?;
        Ok(())
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
