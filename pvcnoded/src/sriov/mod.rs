//! This node's cards with SR-IOV: the shell around `pvc_plan::sriov`.
//!
//! ```text
//!  look ──▶ plan ──▶ steps on the machine ──▶ look again ──▶ writes to the tree, faults for people
//! ```
//! The cards are looked at from time to time, and before anything is done to them. A step that failed
//! is tried again at the next look.

mod findings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::{NodeName, SriovName};
use pvc_common::observed::SriovTable;
use pvc_common::view::View;
use pvc_host::{Sriov, SriovError};
use pvc_plan::sriov::{Plan, Situation, Step, Wanted, Write, plan};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::subtree::Branch;
use pvc_zk::{CommitError, Tree};
use tokio::time::Instant;

use crate::config::SriovDevice;
use crate::faults::Faults;
use crate::health::{self, Health};

/// How long what others do to the cards stays unseen. A look costs a program's run for each card.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Before what failed to reach the tree is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// The name of this check among a node's health checks.
const CHECK: &str = "sriov";

/// How often it is published although nothing changed.
const PUBLISH_EVERY: Duration = Duration::from_secs(60);

/// A division makes functions that have to be seen, and set, after it.
const ROUNDS: usize = 3;

/// The cards that are configured, as plans read them.
#[must_use]
pub fn wanted(devices: &[SriovDevice]) -> Vec<Wanted> {
    let wanted = devices.iter().filter_map(|device| {
        let SriovDevice { device, mtu, functions } = device;
        Some(Wanted { device: device.parse().ok()?, mtu: *mtu, functions: *functions })
    });
    let mut by_name: BTreeMap<SriovName, Wanted> = BTreeMap::new();
    // Of a card that is named twice the first entry counts.
    wanted.for_each(|wanted| {
        by_name.entry(wanted.device.clone()).or_insert(wanted);
    });
    by_name.into_values().collect()
}

/// Divides the cards before anything else: this node's own networks may be on their functions.
///
/// What fails is told and left behind; once the node serves it is tried again.
pub async fn set_up(sriov: &impl Sriov, me: &NodeName, wanted: &[Wanted]) {
    if wanted.is_empty() {
        return;
    }
    let names: Vec<SriovName> = wanted.iter().map(|wanted| wanted.device.clone()).collect();
    let mut failed: BTreeSet<Step> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let seen = match sriov.observe(&names).await {
            Ok(seen) => seen,
            Err(error) => {
                tracing::error!(error = chain(&error), "cards with SR-IOV cannot be looked at");
                return;
            }
        };
        let mut steps = plan(&Situation { me, wanted, seen: &seen, view: None }).steps;
        steps.retain(|step| !failed.contains(step));
        if steps.is_empty() {
            return;
        }
        for step in steps {
            match act(sriov, &step).await {
                Ok(()) => tracing::info!("SR-IOV: {step}"),
                Err(error) => {
                    tracing::error!(error = chain(&error), "SR-IOV: could not {step}");
                    failed.insert(step);
                }
            }
        }
    }
}

/// Keeps this node's cards as they are configured, and the tree as they are.
pub struct SriovKeeper<T, S> {
    me: NodeName,
    tree: T,
    sriov: S,
    wanted: Vec<Wanted>,
    faults: Faults<T>,
    health: Health<T>,
    /// What the node's health says of it, and since when.
    published: Option<(health::Finding, Instant)>,
    /// The cards at the last look.
    seen: Option<SriovTable>,
    /// Why they could not be looked at, if so.
    unseen: Option<String>,
    /// When to look again, though nothing is to be done.
    look_at: Option<Instant>,
    /// What could not be done since the last look, and why.
    failed: BTreeMap<Step, String>,
    /// What people were told in the log.
    told: Vec<String>,
}

/// The state of the cards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many functions there are.
    pub functions: usize,
    /// How many changes were made to cards and functions.
    pub changed: usize,
    /// What is not as it shall be, and why.
    pub trouble: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} functions, {} changed", self.functions, self.changed)?;
        self.trouble.iter().try_for_each(|what| write!(f, "; {what}"))
    }
}

impl<T: Tree, S: Sriov> SriovKeeper<T, S> {
    /// Keeps these cards of `me`, and tells in its health what is not as it shall be.
    pub fn new(me: NodeName, tree: T, sriov: S, wanted: Vec<Wanted>, health: Health<T>) -> Self {
        let faults = Faults::new(tree.clone());
        let (failed, told) = (BTreeMap::new(), Vec::new());
        let (seen, unseen, look_at, published) = (None, None, None, None);
        Self {
            me,
            tree,
            sriov,
            wanted,
            faults,
            health,
            published,
            seen,
            unseen,
            look_at,
            failed,
            told,
        }
    }

    /// Looks at the cards; returns whether they were seen.
    async fn look(&mut self) -> bool {
        let names: Vec<SriovName> = self.wanted.iter().map(|one| one.device.clone()).collect();
        // Nobody need look at cards that are not ours.
        let seen = match &*names {
            [] => Ok(SriovTable::default()),
            names => self.sriov.observe(names).await,
        };
        match seen {
            Ok(seen) => (self.seen, self.unseen) = (Some(seen), None),
            Err(error) => self.unseen = Some(chain(&error)),
        }
        let wait = if self.unseen.is_none() { LOOK_EVERY } else { RETRY };
        self.look_at = Some(Instant::now() + wait);
        self.unseen.is_none()
    }

    fn plan(&self, view: &View) -> Plan {
        let Self { me, wanted, .. } = self;
        let Some(seen) = &self.seen else { return Plan::default() };
        plan(&Situation { me, wanted, seen, view: Some(view) })
    }

    /// What of a plan has not failed since the last look.
    fn due(&self, plan: &Plan) -> Vec<Step> {
        plan.steps.iter().filter(|step| !self.failed.contains_key(step)).cloned().collect()
    }

    /// Brings the cards in line; returns how many changes that took.
    async fn bring_in_line(&mut self, view: &View) -> usize {
        let is_due = self.look_at.is_none_or(|at| at <= Instant::now());
        if is_due {
            self.failed.clear();
            self.faults.doubt();
            self.look().await;
        }
        let mut is_fresh = is_due;
        let mut changed = 0;
        for _ in 0..=ROUNDS {
            let steps = self.due(&self.plan(view));
            // What cannot be looked at is not touched.
            if steps.is_empty() || self.unseen.is_some() {
                break;
            }
            if is_fresh {
                for step in steps {
                    changed += usize::from(self.act(step).await);
                }
            }
            is_fresh = self.look().await;
        }
        changed
    }

    async fn act(&mut self, step: Step) -> bool {
        match act(&self.sriov, &step).await {
            Ok(()) => {
                tracing::info!("SR-IOV: {step}");
                true
            }
            Err(error) => {
                let why = format!("could not {step}: {}", chain(&error));
                self.failed.insert(step, why);
                false
            }
        }
    }

    /// Records what there is; returns whether all of it was written.
    async fn record(&self, writes: Vec<Write>) -> bool {
        let mut all = true;
        for write in writes {
            let (path, ops) = match write {
                Write::Record { path, ops } => (path, ops),
                Write::Forget { path } => match Branch::read(&self.tree, &path).await {
                    Ok(branch) => (path, branch.deletes()),
                    Err(error) => {
                        tracing::debug!(%error, path, "SR-IOV: not forgotten yet");
                        all = false;
                        continue;
                    }
                },
            };
            match self.tree.commit(ops).await {
                Ok(()) => tracing::debug!("SR-IOV: {path} recorded"),
                // The view will show what was there instead.
                Err(CommitError::Superseded { path }) => {
                    tracing::debug!(path, "SR-IOV: superseded");
                }
                Err(error) => {
                    tracing::warn!(%error, "SR-IOV: {path} could not be recorded");
                    all = false;
                }
            }
        }
        all
    }

    /// Tells people what is not as it shall be. Returns whether all is told.
    async fn tell(&mut self, view: &View, plan: &Plan) -> bool {
        let unseen = self.unseen.as_deref();
        let findings = findings::findings(&self.me, view, plan, &self.failed, unseen);
        let said: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
        for new in said.iter().filter(|said| !self.told.contains(said)) {
            tracing::error!("SR-IOV: {new}");
        }
        let published = self.publish(findings::of_node(self.wanted.len(), &said)).await;
        self.told = said;
        if view.cluster.maintenance.get().is_some_and(|text| text == "true") {
            // It is told once that is over.
            self.faults.doubt();
            return published;
        }
        let told = self.faults.tell(&findings).await;
        if let Err(error) = &told {
            tracing::debug!(%error, "faults of SR-IOV not told yet");
        }
        told.is_ok() && published
    }

    /// Says it in the node's health, unless that was said lately; whether it is. Of a node that has no
    /// cards, and is to have none, there is nothing to say.
    async fn publish(&mut self, finding: health::Finding) -> bool {
        if self.wanted.is_empty() && self.published.is_none() && finding.delta == 0 {
            return true;
        }
        let is_said = |(said, at): &(health::Finding, Instant)| {
            *said == finding && at.elapsed() < PUBLISH_EVERY
        };
        if self.published.as_ref().is_some_and(is_said) {
            return true;
        }
        let published = self.health.publish(CHECK, finding.clone(), vec![]).await;
        if let Err(error) = &published {
            tracing::debug!(%error, "how the cards with SR-IOV are is not published yet");
        }
        self.published = published.is_ok().then(|| (finding, Instant::now()));
        self.published.is_some()
    }
}

async fn act(sriov: &impl Sriov, step: &Step) -> Result<(), SriovError> {
    match step {
        Step::AllowHandingThrough => sriov.allow_handing_through().await,
        Step::Mtu { device, mtu, .. } => sriov.set_mtu(device, *mtu).await,
        Step::Up { pf } => sriov.switch_on(pf.as_str()).await,
        Step::Divide { pf, into } => sriov.divide(pf, *into).await,
        Step::Set { pf, number, setting } => sriov.set(pf, *number, *setting).await,
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl<T: Tree, S: Sriov> Reconciler for SriovKeeper<T, S> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "sriov";
    const PERIOD: Duration = LOOK_EVERY;

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let changed = self.bring_in_line(&view).await;
        let plan = self.plan(&view);
        let told = self.tell(&view, &plan).await;
        let recorded = self.record(plan.writes).await;
        let cards = self.seen.iter().flat_map(|seen| seen.cards.values());
        let functions = cards.map(|card| card.functions.len()).sum();
        let report = Report { functions, changed, trouble: self.told.clone() };
        let done = told && recorded && self.unseen.is_none();
        Outcome { report, wake_at: (!done).then(|| Instant::now() + RETRY) }
    }
}
