//! Tasks: the shell around `pvc_plan::task`.
//!
//! A task is ordered by the API and told of by whoever does it, both in the tree. Its work runs
//! apart from everything else. A daemon that ends leaves its tasks as they are; the next one begins
//! them again, and each finds out how far the former has come.

mod benchmark;
mod device;
mod hands;
mod locks;
pub mod osd;
mod tracker;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pvc_ceph::{Benchmark, Ceph, Volumes};
use pvc_common::id::{NodeName, TaskId};
use pvc_common::model::{Node, Subject};
use pvc_common::state::DaemonState;
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, Version, key};
use pvc_libvirt::Hypervisor;
use pvc_plan::task::{Situation, plan};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::Tree;
use tokio::task::{AbortHandle, JoinSet};
use tracing::Instrument;

use hands::Hands;
use tracker::Tracker;

/// What tasks need of Ceph.
pub trait Storage: Ceph + Volumes + Benchmark {}

impl<C: Ceph + Volumes + Benchmark> Storage for C {}

/// What tasks are done with.
pub struct Tools<T, H, C> {
    /// The tree.
    pub tree: T,
    /// `None` on a node that runs no VMs.
    pub hypervisor: Option<H>,
    /// `None` where there is no storage.
    pub ceph: Option<C>,
    /// This node's OSDs; `None` where there is no storage.
    pub rack: Option<Arc<dyn osd::Rack>>,
}

/// Does this node's tasks.
pub struct TaskKeeper<T, H, C> {
    me: NodeName,
    tree: T,
    hands: Arc<Hands<T, H, C>>,
    jobs: JoinSet<(TaskId, Option<Version>)>,
    running: BTreeMap<TaskId, (Subject, AbortHandle)>,
    written: BTreeMap<TaskId, Version>,
    nudge: Arc<dyn Fn() + Send + Sync>,
}

/// What an activation found or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// So many tasks are being done here.
    AtWork(usize),
    /// Nothing is begun while this node does not serve.
    Idle,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtWork(count) => write!(f, "{count} tasks are being done"),
            Self::Idle => f.write_str("no tasks are done while this node does not serve"),
        }
    }
}

impl<T: Tree, H: Hypervisor, C: Storage> TaskKeeper<T, H, C> {
    /// A keeper that has not looked yet; `nudge` is called whenever a task has ended, and must
    /// lead to an activation.
    pub fn new(
        me: NodeName,
        tools: Tools<T, H, C>,
        nudge: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            tree: tools.tree.clone(),
            hands: Arc::new(Hands::new(me.clone(), tools)),
            me,
            jobs: JoinSet::new(),
            running: BTreeMap::new(),
            written: BTreeMap::new(),
            nudge: Arc::new(nudge),
        }
    }

    /// Takes in what has ended since the last activation.
    fn collect(&mut self) {
        while let Some(ended) = self.jobs.try_join_next_with_id() {
            match ended {
                Ok((_, (task, written))) => {
                    self.running.remove(&task);
                    if let Some(version) = written {
                        self.written.insert(task, version);
                    }
                }
                Err(error) => {
                    if error.is_panic() {
                        tracing::error!(%error, "a task broke off");
                    }
                    self.running.retain(|_, (_, job)| job.id() != error.id());
                }
            }
        }
    }

    fn begin(&mut self, view: &View, id: TaskId) {
        let Some(task) = view.tasks.get(&id) else { return };
        let Some(order) = task.order.get().cloned() else { return };
        let (hands, nudge) = (Arc::clone(&self.hands), Arc::clone(&self.nudge));
        let mut tracker =
            Tracker::new(self.tree.clone(), id.clone(), self.me.clone(), task.progress.clone());
        let span = tracing::info_span!("task", task.id = %id, task.name = order.work.name());
        let (of, subject) = (id.clone(), order.work.subject());
        let job = async move {
            hands.see_through(&order.work, &mut tracker).await;
            nudge();
            (of, tracker.written())
        };
        let job = self.jobs.spawn(job.instrument(span));
        self.running.insert(id, (subject, job));
    }

    async fn forget(&self, view: &View, id: &TaskId) {
        let Some(task) = view.tasks.get(id) else { return };
        let progress = key::task_progress(id).delete(&task.progress);
        let ops: Vec<Op> = progress.into_iter().chain(key::task(id).delete(&task.order)).collect();
        if let Err(error) = self.tree.commit(ops).await {
            tracing::debug!(%error, task.id = %id, "an old task is not forgotten yet");
        }
    }
}

/// Whether a node may do what it was told.
fn serves(own: &Node) -> bool {
    own.daemon_state.copied() == Some(DaemonState::Run) && own.liveness.fence == Seen::Absent
}

impl<T: Tree, H: Hypervisor, C: Storage> Reconciler for TaskKeeper<T, H, C> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "tasks";
    const PERIOD: Duration = Duration::from_secs(30);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        self.collect();
        self.written.retain(|id, _| view.tasks.contains_key(id));
        let primary = view.cluster.primary_node.get().and_then(Option::as_ref) == Some(&self.me);
        let running =
            self.running.iter().map(|(id, (subject, _))| (id.clone(), *subject)).collect();
        let plan = plan(&Situation {
            me: &self.me,
            primary,
            tasks: &view.tasks,
            running: &running,
            written: &self.written,
        });
        for id in &plan.leave {
            if let Some((_, job)) = self.running.get(id) {
                tracing::info!(task.id = %id, "this task is not this node's any more");
                job.abort();
            }
        }
        let is_live = self.tree.session().borrow().live().is_some();
        if !is_live || !view.nodes.get(&self.me).is_some_and(|own| serves(own)) {
            return Outcome::settled(Report::Idle);
        }
        for id in &plan.forget {
            self.forget(&view, id).await;
        }
        for id in plan.begin {
            self.begin(&view, id);
        }
        Outcome::settled(Report::AtWork(self.running.len()))
    }
}
