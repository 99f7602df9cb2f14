//! This node's own flush and unflush: the shell around `pvc_plan::flush`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::state::DomainState;
use pvc_common::view::View;
use pvc_plan::flush::{Goal, Turn, Write, plan};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::{CommitError, Tree};
use tokio::time::Instant;

/// A VM whose migration failed is not asked to move again for this long, times its failures.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a VM is asked to come home before the node is ready without it. One that shall
/// leave is asked for as long as the flush is wished.
const FETCHES: u32 = 3;

/// When a VM was asked to come or go in the present flush or unflush, and how often.
#[derive(Clone, Copy)]
struct Asked {
    times: u32,
    at: Instant,
}

impl Asked {
    fn again_at(self) -> Instant {
        self.at + PATIENCE * self.times
    }

    fn turn(self, now: Instant, comes: bool) -> Turn {
        if now < self.again_at() {
            Turn::Later
        } else if comes && self.times >= FETCHES {
            Turn::Never
        } else {
            Turn::Now
        }
    }
}

/// Empties and refills this node as its domain state says.
pub struct Flusher<T> {
    me: NodeName,
    tree: T,
    /// What the node was doing when the VMs were asked.
    doing: Option<DomainState>,
    asked: BTreeMap<VmUuid, Asked>,
}

/// How far a flush or unflush is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The VMs that still have to come or go.
    pub remaining: usize,
    /// How many wishes this activation wrote.
    pub wrote: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} VMs still to move, {} wishes written", self.remaining, self.wrote)
    }
}

impl<T: Tree> Flusher<T> {
    /// A flusher that has asked nobody yet.
    pub const fn new(me: NodeName, tree: T) -> Self {
        Self { me, tree, doing: None, asked: BTreeMap::new() }
    }

    async fn write(&mut self, view: &View, write: Write) -> bool {
        let goal = describe(view, &write.goal);
        match self.tree.commit(write.ops).await {
            Ok(()) => {
                tracing::info!(node.name = %self.me, "{goal}");
                if let Goal::SendAway { vm, .. } | Goal::Fetch { vm } = write.goal {
                    let times = self.asked.get(&vm).map_or(0, |asked| asked.times) + 1;
                    self.asked.insert(vm, Asked { times, at: Instant::now() });
                }
                true
            }
            Err(CommitError::Superseded { path }) => {
                tracing::debug!(path, "superseded: {goal}");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "could not {goal}");
                false
            }
        }
    }
}

/// The goal with the VM's name, as people know it.
fn describe(view: &View, goal: &Goal) -> String {
    let uuid = match goal {
        Goal::SendAway { vm, .. }
        | Goal::ShutDown { vm, .. }
        | Goal::Fetch { vm }
        | Goal::Start { vm } => Some(vm),
        Goal::Flushed | Goal::Ready => None,
    };
    let name = uuid.and_then(|uuid| Some((uuid, view.vms.get(uuid)?.name.get()?)));
    match name {
        Some((uuid, name)) => goal.to_string().replace(&uuid.to_string(), name.as_str()),
        None => goal.to_string(),
    }
}

impl<T: Tree> Reconciler for Flusher<T> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "flush";
    const PERIOD: Duration = Duration::from_secs(10);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let state = view.nodes.get(&self.me).and_then(|node| node.domain_state.copied());
        if state != self.doing {
            self.doing = state;
            self.asked.clear();
        }
        let now = Instant::now();
        let comes = state == Some(DomainState::Unflush);
        let turn =
            |vm: VmUuid| self.asked.get(&vm).map_or(Turn::Now, |asked| asked.turn(now, comes));
        let plan = plan(&self.me, &view, turn);
        let remaining = plan.remaining.len();
        let next = plan.remaining.iter().filter_map(|vm| self.asked.get(vm)).map(|a| a.again_at());
        let wake_at = next.filter(|at| *at > now).min();
        let mut wrote = 0;
        for write in plan.writes {
            wrote += usize::from(self.write(&view, write).await);
        }
        Outcome { report: Report { remaining, wrote }, wake_at }
    }
}
