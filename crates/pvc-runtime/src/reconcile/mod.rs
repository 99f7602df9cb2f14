//! The loop that drives a reconciler.
//!
//! ```text
//!            ┌──────────── view changed, nudged, wake_at or PERIOD over ───────────┐
//!            ▼                                                                     │
//!  Inert ─▶ Running ── report ──────────────────────────────────────────────────▶ Idle
//!  (no view yet)  └──────────────── drained: stops at once, wherever it is ─────────┘
//! ```
//! An activation is never told what changed, so that a restart takes the same path. Being
//! dropped in the midst of one must be harmless: its steps are idempotent, and the next process
//! begins with what it finds.

mod run;
mod status;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use run::{Handle, Nudge, spawn, spawn_with};
pub use status::{Activity, Finished, Reason, Registry, Status};

/// What came of one activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<R> {
    /// What was seen and done, what went wrong.
    pub report: R,
    /// When to look again although nothing changes; `None`: after [`Reconciler::PERIOD`].
    pub wake_at: Option<Instant>,
}

impl<R> Outcome<R> {
    /// An outcome that only a change or the period can alter.
    pub const fn settled(report: R) -> Self {
        Self { report, wake_at: None }
    }
}

/// Looks at a view of the cluster, and brings one thing in line with it.
pub trait Reconciler: Send + 'static {
    /// What it decides by.
    type View: Send + Sync + 'static;
    /// What it tells people and machines; its text is shown in the status.
    type Report: Clone + std::fmt::Display + Send + Sync + 'static;

    /// Its name in logs and status.
    const NAME: &'static str;
    /// The longest time between two activations.
    const PERIOD: Duration;

    /// One activation. Infallible: what went wrong is part of the report.
    fn reconcile(
        &mut self,
        view: Arc<Self::View>,
    ) -> impl Future<Output = Outcome<Self::Report>> + Send;
}
