//! The loop itself.

use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

use super::{Activity, Finished, Reason, Reconciler, Registry};
use crate::drain::Drain;

/// Asks a reconciler to look again. Nudges that arrive while one is pending are one nudge.
#[derive(Clone, Debug, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// Asks for an activation soon; also during one, for another after it.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

/// A running reconciler.
#[derive(Debug)]
pub struct Handle<R> {
    /// Asks it to look again.
    pub nudge: Nudge,
    /// Its last report; `None` before the first.
    pub reports: watch::Receiver<Option<R>>,
    /// Ends once it is drained.
    pub task: JoinHandle<()>,
}

/// Runs `reconciler` in a task of its own until `drain` is drained.
///
/// Its first activation is when `views` first holds one. While `views` holds none it is inert.
pub fn spawn<R: Reconciler>(
    reconciler: R,
    views: watch::Receiver<Option<Arc<R::View>>>,
    registry: &Registry,
    drain: &Drain,
) -> Handle<R::Report> {
    spawn_with(reconciler, Nudge::default(), views, registry, drain)
}

/// As [`spawn`], with a nudge that was given away before: to what the reconciler itself owns.
pub fn spawn_with<R: Reconciler>(
    reconciler: R,
    nudge: Nudge,
    views: watch::Receiver<Option<Arc<R::View>>>,
    registry: &Registry,
    drain: &Drain,
) -> Handle<R::Report> {
    let (sender, reports) = watch::channel(None);
    registry.activity(R::NAME, Activity::Inert);
    let driver = Driver {
        reconciler,
        views,
        nudge: nudge.clone(),
        reports: sender,
        registry: registry.clone(),
    };
    let task = tokio::spawn(driver.run(drain.clone()));
    Handle { nudge, reports, task }
}

struct Driver<R: Reconciler> {
    reconciler: R,
    views: watch::Receiver<Option<Arc<R::View>>>,
    nudge: Nudge,
    reports: watch::Sender<Option<R::Report>>,
    registry: Registry,
}

impl<R: Reconciler> Driver<R> {
    async fn run(mut self, drain: Drain) {
        let registry = self.registry.clone();
        tokio::select! {
            biased;
            () = drain.drained() => {}
            () = self.forever() => {}
        }
        registry.activity(R::NAME, Activity::Stopped);
    }

    /// Ends only when nobody will ever publish a view again.
    async fn forever(&mut self) {
        self.views.mark_changed();
        let mut wake_at = None;
        while let Some(reason) = self.next(wake_at).await {
            let view = self.views.borrow_and_update().clone();
            wake_at = match view {
                Some(view) => self.activate(view, reason).await,
                None => None,
            };
        }
    }

    /// Waits for something to happen.
    async fn next(&mut self, wake_at: Option<Instant>) -> Option<Reason> {
        let period = Instant::now() + R::PERIOD;
        let (at, reason) = match wake_at {
            Some(wake) if wake < period => (wake, Reason::Wake),
            Some(_) | None => (period, Reason::Period),
        };
        tokio::select! {
            biased;
            changed = self.views.changed() => changed.ok().map(|()| Reason::View),
            () = self.nudge.0.notified() => Some(Reason::Nudge),
            () = sleep_until(at) => Some(reason),
        }
    }

    async fn activate(&mut self, view: Arc<R::View>, reason: Reason) -> Option<Instant> {
        let begun = Instant::now();
        self.registry.activity(R::NAME, Activity::Running(begun, reason));
        let span = tracing::info_span!("reconcile", reconciler = R::NAME, %reason);
        let outcome = self.reconciler.reconcile(view).instrument(span).await;
        let at = Instant::now();
        self.registry.finished(
            R::NAME,
            Finished { reason, took: at - begun, at, report: outcome.report.to_string() },
        );
        self.reports.send_replace(Some(outcome.report));
        outcome.wake_at
    }
}
