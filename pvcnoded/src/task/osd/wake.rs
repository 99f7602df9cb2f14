//! Starts the OSDs of this node after the machine was started, where nothing else does.
//!
//! ```text
//!  daemon starts ─▶ looks ──all run, or were started before──▶ over, for as long as it lives
//!                    ▲  │ some never ran since the machine started
//!                    │  ▼
//!                    └─ activates and starts them; again later, a few times, if one fails
//! ```
//! That an OSD was started is written down afterwards. So a daemon that is killed in between starts it
//! again, and one that somebody stopped is left alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::view::View;
use pvc_plan::osd::{Failure, Step, asleep};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::Tree;
use tokio::time::Instant;

use super::Rack;

/// How soon it is tried again: a disk may come late, or be slow.
const SOON: Duration = Duration::from_secs(10);

/// How often an OSD is tried. What fails that often takes a person.
const TIMES: u32 = 5;

/// What an activation found or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The machine starts its OSDs itself.
    OfTheMachine,
    /// All were started.
    Awake,
    /// ZooKeeper does not tell which are this node's.
    Unknown,
    /// What went wrong; it is tried again.
    Failed(String),
    /// The same, and nothing is tried any more.
    GivenUp(String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfTheMachine => f.write_str("OSDs are started with the machine"),
            Self::Awake => f.write_str("all OSDs of this machine were started"),
            Self::Unknown => f.write_str("not known yet which OSDs are this node's"),
            Self::Failed(why) => write!(f, "not all OSDs were started yet: {why}"),
            Self::GivenUp(why) => write!(f, "not all OSDs were started: {why}"),
        }
    }
}

impl Report {
    /// Whether there is nothing more to do.
    const fn is_final(&self) -> bool {
        match self {
            Self::OfTheMachine | Self::Awake | Self::GivenUp(_) => true,
            Self::Unknown | Self::Failed(_) => false,
        }
    }
}

/// Starts this node's OSDs.
pub struct Waker<T> {
    me: NodeName,
    tree: T,
    rack: Arc<dyn Rack>,
    failed: u32,
    last: Option<(Report, Instant)>,
}

impl<T: Tree> Waker<T> {
    /// One that has not looked yet.
    pub fn new(me: NodeName, tree: T, rack: Arc<dyn Rack>) -> Self {
        Self { me, tree, rack, failed: 0, last: None }
    }

    async fn look(&mut self) -> Report {
        // Tasks work on the same disks.
        let _turn = self.rack.alone().await;
        let own = match self.rack.own().await {
            Ok(Some(own)) => own,
            Ok(None) => return Report::OfTheMachine,
            Err(why) => return self.fail(why),
        };
        let osds = match super::osds(&self.tree).await {
            Ok(osds) => osds,
            Err(error) => {
                tracing::debug!(%error, "cannot read which OSDs are this node's");
                return Report::Unknown;
            }
        };
        let mut wrong = Vec::new();
        for osd in asleep(&self.me, &osds, &own) {
            let id = osd.id;
            tracing::info!(osd.id = %id, device = %osd.device, "starting an OSD after the machine");
            let done = self.rack.act(&Step::Activate(osd.clone())).await;
            if let Err(Failure::Refused(why) | Failure::Unknown(why)) = done {
                wrong.push(format!("OSD {id}: {why}"));
            }
        }
        if !wrong.is_empty() {
            return self.fail(wrong.join("; "));
        }
        tracing::info!("all OSDs of this machine were started");
        Report::Awake
    }

    fn fail(&mut self, why: String) -> Report {
        self.failed += 1;
        if self.failed < TIMES {
            tracing::warn!("OSDs are not started yet: {why}");
            return Report::Failed(why);
        }
        tracing::error!("OSDs are not started, and it is not tried again: {why}");
        Report::GivenUp(why)
    }
}

impl<T: Tree> Reconciler for Waker<T> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "osds";
    const PERIOD: Duration = Duration::from_secs(600);

    async fn reconcile(&mut self, _view: Arc<View>) -> Outcome<Report> {
        if let Some((report, until)) = &self.last {
            if report.is_final() {
                return Outcome::settled(report.clone());
            }
            // The view may change at any time.
            if *until > Instant::now() {
                return Outcome { report: report.clone(), wake_at: Some(*until) };
            }
        }
        let report = self.look().await;
        let again = Instant::now() + SOON;
        self.last = Some((report.clone(), again));
        Outcome { wake_at: (!report.is_final()).then_some(again), report }
    }
}
