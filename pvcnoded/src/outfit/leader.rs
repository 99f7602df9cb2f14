//! The replicated database of this node leads where the primary is.
//!
//! ```text
//!   take up ──▶ asked for ──▶ leads
//!                  │  ▲
//!                  ▼  │ the next look
//!             refused, or nobody to ask
//! ```
//! Invariant: nothing else that the primary has waits for it longer than [`PATIENCE`]. Passing the
//! lead on takes seconds, and half a minute after a leader died: it goes on by itself meanwhile.
//!
//! Nothing is laid down: a database that stopped leading here would lead nowhere, and the next
//! primary asks for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_database::{Replicas, ReplicasError};
use pvc_host::{UnitState, Units};
use pvc_plan::leader::{Leading, leading};
use pvc_plan::primary::{Holding, Phase};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Doing, Part, failure};
use crate::primary::OutfitError;

/// What replicates the databases. A node without it has no such part.
pub(crate) const PATRONI: &str = "patroni.service";
/// How long the primary's services wait for the lead: long enough to see that it is here already,
/// short enough not to be noticed by who waits for the API.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long a look may take, which an old primary takes twice before it lets go of the addresses. It
/// is asked of a process on this machine, from its memory.
const LOOK: Duration = Duration::from_millis(200);

/// The lead of the replicated databases.
pub struct Leader<R, U> {
    me: NodeName,
    replicas: Arc<R>,
    units: U,
    /// Whether it is to be here. A secondary does not ask whether it is.
    wanted: AtomicBool,
    asking: Mutex<Asking>,
}

/// What was asked for, and what came of it.
#[derive(Default)]
struct Asking {
    under_way: Option<JoinHandle<Result<(), String>>>,
    /// Why it did not lead when it was asked for the last time. It is asked for again at once, and that takes
    /// longer than anybody waits: without this, people would be told the reason in passing.
    refused: Option<String>,
}

impl<R: Replicas, U: Units> Leader<R, U> {
    /// The lead of `me`'s database.
    pub fn new(me: NodeName, replicas: R, units: U) -> Self {
        let (wanted, asking) = (AtomicBool::new(false), Mutex::default());
        Self { me, replicas: Arc::new(replicas), units, wanted, asking }
    }

    async fn is_installed(&self) -> Result<bool, OutfitError> {
        Ok(self.units.state(PATRONI).await.map_err(failure)? != UnitState::Absent)
    }

    /// Asks for the lead, or goes on waiting for what was asked before.
    async fn ask(&self) -> Result<(), OutfitError> {
        let mut all = self.asking.lock().await;
        let Asking { under_way, refused } = &mut *all;
        let asking = under_way
            .get_or_insert_with(|| tokio::spawn(ask(self.me.clone(), Arc::clone(&self.replicas))));
        *refused = match timeout(PATIENCE, asking).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(why))) => Some(why),
            Ok(Err(_)) => Some("asking for it was given up".to_owned()),
            Err(_) => {
                let not_yet = || "it does not lead yet, and is asked for".to_owned();
                let what = refused.clone().unwrap_or_else(not_yet);
                return Err(OutfitError { what });
            }
        };
        *under_way = None;
        refused.clone().map_or(Ok(()), |what| Err(OutfitError { what }))
    }
}

/// Has this node's database lead, if it can.
async fn ask<R: Replicas>(me: NodeName, replicas: Arc<R>) -> Result<(), String> {
    let said = |error: ReplicasError| error.to_string();
    if replicas.leads().await.map_err(said)? {
        return Ok(());
    }
    match leading(&me, &replicas.all().await.map_err(said)?) {
        Leading::Here => Ok(()),
        Leading::Ask { from } => {
            tracing::info!(node.name = %me, "PostgreSQL: {from} is asked to pass the lead on");
            replicas.pass_on(&from, &me).await.map_err(said)?;
            tracing::info!(node.name = %me, "PostgreSQL: {me} leads now");
            Ok(())
        }
        Leading::Not { why } => Err(why),
    }
}

impl<R: Replicas, U: Units> Part for Leader<R, U> {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn phase(&self) -> Phase {
        Phase::Leader
    }

    /// There is never anything to be laid down, so there is not any of it. That it cannot be seen
    /// is no trouble of the look at the others: it is not all here then.
    fn held(&self) -> Doing<'_, Holding> {
        Box::pin(async {
            if !self.is_installed().await? {
                return Ok(Holding::of([]));
            }
            let wanted = self.wanted.load(Ordering::Relaxed);
            let all = wanted && matches!(timeout(LOOK, self.replicas.leads()).await, Ok(Ok(true)));
            Ok(Holding { any: false, all })
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            if !self.is_installed().await? {
                return Ok(());
            }
            self.wanted.store(true, Ordering::Relaxed);
            self.ask().await
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        Box::pin(async {
            self.wanted.store(false, Ordering::Relaxed);
            let Asking { under_way, .. } = std::mem::take(&mut *self.asking.lock().await);
            if let Some(asking) = under_way {
                asking.abort();
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use pvc_database::fake::{FakeReplicas, Site};
    use pvc_host::fake::FakeHost;

    use super::*;

    const NOT_YET: Holding = Holding { any: false, all: false };
    const HERE: Holding = Holding { any: false, all: true };

    fn part(site: &Site) -> Leader<FakeReplicas, FakeHost> {
        let host = FakeHost::new();
        host.install_unit(PATRONI);
        Leader::new("hv2".parse().unwrap(), site.on("hv2"), host)
    }

    fn trouble(done: Result<(), OutfitError>) -> String {
        done.unwrap_err().what
    }

    #[tokio::test(start_paused = true)]
    async fn the_lead_is_asked_for_and_waited_for_by_nobody() {
        let (site, took) = (Site::new(&["hv1", "hv2"]), Duration::from_secs(2));
        let part = part(&site);
        site.take(took);
        assert_eq!(part.held().await, Ok(NOT_YET));
        let begun = tokio::time::Instant::now();
        assert_eq!(trouble(part.take_up().await), "it does not lead yet, and is asked for");
        assert_eq!(begun.elapsed(), PATIENCE);
        while part.take_up().await.is_err() {}
        assert_eq!(begun.elapsed(), took);
        assert_eq!((site.asked(), site.leader().as_deref()), (1, Some("hv2")));
        assert_eq!(part.held().await, Ok(HERE));
        part.lay_down().await.unwrap();
        assert_eq!(site.leader().as_deref(), Some("hv2"), "the next primary takes it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_without_patroni_misses_nothing() {
        let site = Site::new(&["hv1", "hv2"]);
        let part = Leader::new("hv2".parse().unwrap(), site.on("hv2"), FakeHost::new());
        part.take_up().await.unwrap();
        assert_eq!(part.held().await, Ok(Holding::of([])));
        assert_eq!(site.asked(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_keeps_it_from_leading_is_told_and_tried_again() {
        let site = Site::new(&["hv1", "hv2"]);
        let part = part(&site);
        site.elect(None);
        assert_eq!(trouble(part.take_up().await), "none leads yet");
        site.elect(Some("hv1"));
        site.set_state("hv2", "starting");
        assert_eq!(trouble(part.take_up().await), "that of hv2 is starting");
        site.set_state("hv2", "streaming");
        part.take_up().await.unwrap();
        assert_eq!(part.held().await, Ok(HERE));
        // Another one took over by itself.
        site.elect(Some("hv1"));
        assert_eq!(part.held().await, Ok(NOT_YET));
    }

    #[tokio::test(start_paused = true)]
    async fn a_patroni_that_hangs_delays_neither_a_look_nor_the_services() {
        let site = Site::new(&["hv1", "hv2"]);
        let part = part(&site);
        site.stick("hv2", true);
        for _ in 0..20 {
            let begun = tokio::time::Instant::now();
            part.take_up().await.unwrap_err();
            assert_eq!(part.held().await, Ok(NOT_YET));
            assert!(begun.elapsed() <= PATIENCE + LOOK, "{:?}", begun.elapsed());
        }
        site.stick("hv2", false);
        while part.take_up().await.is_err() {}
        assert_eq!(part.held().await, Ok(HERE));
    }
}
