//! Dead nodes: the shell around `pvc_plan::fence`, on every coordinator.
//!
//! Proofs are gathered in the background, several at once and for several nodes; what they say
//! is part of what the next activation sees.

mod gather;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_ceph::Ceph;
use pvc_common::id::NodeName;
use pvc_common::state::{Verdict, Word};
use pvc_common::view::View;
use pvc_common::zk::{Op, key};
use pvc_ipmi::Power;
use pvc_plan::fence::{Goal, Jobs, Note, Policy, Sight, Situation, Step, plan};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::{CommitError, SubtreeError, Tree};
use tokio::task::JoinSet;

use gather::Gatherer;
pub use gather::{Means, STORAGE_COMMAND_LIMIT};

use crate::mesh::Ear;

/// How many fences the history keeps.
const HISTORY: usize = 200;

/// Sees to dead nodes.
pub struct FenceKeeper<T, P, C> {
    me: NodeName,
    tree: T,
    policy: Policy,
    ear: Option<Arc<Ear>>,
    gatherer: Gatherer<T, P, C>,
    sight: Sight,
    jobs: Jobs,
    notes: BTreeSet<Note>,
    tasks: JoinSet<()>,
}

/// What an activation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Transactions committed.
    pub done: usize,
    /// Proofs that are being gathered.
    pub gathering: usize,
    /// Why nothing more was done.
    pub notes: Vec<Note>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} steps done, {} proofs under way", self.done, self.gathering)?;
        self.notes.iter().try_for_each(|note| write!(f, "; {note}"))
    }
}

/// The time by which plans reckon: tokio's, which tests can pass quickly.
fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

/// For people only.
fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl<T: Tree, P: Power, C: Ceph> FenceKeeper<T, P, C> {
    /// A keeper that has seen nothing yet. `ear` is what this node hears others by in the mesh, if
    /// there is one. `nudge` is called when a proof has ended: it must lead to an activation.
    pub fn new(
        me: NodeName,
        tree: T,
        policy: Policy,
        ear: Option<Arc<Ear>>,
        means: Means<P, C>,
        nudge: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let gatherer = Gatherer::new(tree.clone(), means, Box::new(nudge));
        Self {
            me,
            tree,
            policy,
            ear,
            gatherer,
            sight: Sight::default(),
            jobs: Jobs::new(),
            notes: BTreeSet::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Tells why nothing happens, once per reason.
    fn explain(&mut self, notes: &[Note]) {
        let notes: BTreeSet<Note> = notes.iter().cloned().collect();
        for note in notes.difference(&self.notes) {
            tracing::warn!("fencing: {note}");
        }
        self.notes = notes;
    }

    /// Does the steps; those about one node stop at the first that is refused.
    async fn act(&mut self, view: &View, steps: Vec<Step>) -> usize {
        let mut done = 0;
        let mut refused: BTreeSet<NodeName> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Write { node, goal, ops } => {
                    if refused.contains(&node) {
                        continue;
                    }
                    if self.write(&node, &goal, ops).await {
                        done += 1;
                    } else {
                        refused.insert(node);
                    }
                }
                Step::Gather { node, kind } => {
                    let fence = view.nodes.get(&node).and_then(|it| it.liveness.fence.get());
                    if let Some(fence) = fence {
                        self.jobs.insert((node.clone(), kind), pvc_plan::fence::Job::Running);
                        self.gatherer.begin(&node, fence, kind, view);
                    }
                }
                Step::MarkDown { node, fence, loss } => {
                    self.gatherer.mark_down(&node, loss);
                    self.sight.mark(&node, fence, loss);
                }
                Step::PowerOn { node } => self.gatherer.power_on(&node),
            }
        }
        done
    }

    async fn write(&mut self, node: &NodeName, goal: &Goal, ops: Vec<Op>) -> bool {
        let outcome = self.tree.commit(ops).await;
        let done = outcome.is_ok();
        match outcome {
            Ok(()) => {
                let by = self.me.as_str();
                match goal {
                    Goal::Condemn { .. } => {
                        tracing::error!(node.name = %node, fence.by = by, "fencing {node}: {goal}");
                    }
                    Goal::Record { .. }
                    | Goal::TakeOver { .. }
                    | Goal::Prove { .. }
                    | Goal::Settle { .. }
                    | Goal::Finish
                    | Goal::Withdraw
                    | Goal::Place { .. } => {
                        tracing::warn!(node.name = %node, fence.by = by, "fencing {node}: {goal}");
                    }
                }
            }
            Err(CommitError::Superseded { path }) => {
                tracing::debug!(path, "fencing {node}: superseded: {goal}");
            }
            Err(error) => tracing::warn!(%error, "fencing {node}: could not {goal}"),
        }
        if let Goal::Settle { .. } = goal {
            self.sight.settled(node, done);
        }
        if done && matches!(goal, Goal::Finish | Goal::Withdraw) {
            self.jobs.retain(|(of, _), _| of != node);
            let tree = self.tree.clone();
            self.tasks.spawn(async move {
                if let Err(error) = prune(&tree).await {
                    tracing::debug!(%error, "the history of fences is not shortened yet");
                }
            });
        }
        done
    }
}

/// Removes the oldest fences beyond what the history keeps.
async fn prune<T: Tree>(tree: &T) -> Result<(), SubtreeError> {
    let mut names = tree.children(key::FENCES).await?.unwrap_or_default();
    // A fence is named after its node and when it began.
    let begun = |name: &String| {
        name.rsplit_once('-').and_then(|(_, ms)| ms.parse::<u64>().ok()).unwrap_or_default()
    };
    names.sort_by_key(begun);
    let many = names.len().saturating_sub(HISTORY);
    for name in names.into_iter().take(many) {
        let path = format!("{}/{name}", key::FENCES);
        if let Some(entry) = tree.get(&path).await? {
            tree.commit(vec![Op::Delete { path, version: entry.version }]).await?;
        }
    }
    Ok(())
}

impl<T: Tree, P: Power, C: Ceph> Reconciler for FenceKeeper<T, P, C> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "fencing";
    const PERIOD: Duration = Duration::from_millis(500);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of fencing broke off");
            }
        }
        for (node, kind, job) in self.gatherer.ended() {
            let (verdict, detail) = match &job {
                pvc_plan::fence::Job::Found(found) => (found.verdict, found.detail.clone()),
                pvc_plan::fence::Job::Running => continue,
            };
            let kind_text = kind.text();
            match verdict {
                Verdict::Proved => tracing::warn!("fencing {node}: {kind_text}: {detail}"),
                Verdict::Failed => {
                    tracing::error!("fencing {node}: no proof by {kind_text}: {detail}");
                }
            }
            self.jobs.insert((node, kind), job);
        }
        let live = self.tree.session().borrow().live().is_some();
        let now = now();
        let hears = self.ear.as_ref().map(|ear| ear.hears(now)).unwrap_or_default();
        self.sight.look(&self.me, &hears, &view, live, now);
        self.sight.prune(self.policy.storm_window, now);
        let plan = plan(&Situation {
            me: &self.me,
            view: &view,
            sight: &self.sight,
            policy: &self.policy,
            jobs: &self.jobs,
            now,
            wall_ms: wall_ms(),
        });
        self.explain(&plan.notes);
        let done = if live { self.act(&view, plan.steps).await } else { 0 };
        let gathering = self.jobs.values().filter(|job| **job == pvc_plan::fence::Job::Running);
        let report = Report { done, gathering: gathering.count(), notes: plan.notes };
        Outcome { report, wake_at: plan.wake_at.map(Into::into) }
    }
}
