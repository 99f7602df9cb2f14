//! The steps of one VM's plan, done in order in a task of their own.

use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::Vm;
use pvc_common::zk::key;
use pvc_libvirt::{Destination, Hypervisor, HypervisorError};
use pvc_plan::lock::Owners;
use pvc_plan::vm::{Job as Action, Outcome, Step};
use pvc_zk::{CommitError, Tree};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::locks::LeftLocks;
use super::slot::job_of;
use super::starts::Starts;

/// How many VMs are started at once: libvirt serves few requests at a time.
const STARTS_AT_ONCE: usize = 3;

/// How many VMs are asked to shut down, or ended, at once. These do not wait behind starts: a
/// node that is starting a hundred VMs must still stop one when told to.
const ENDS_AT_ONCE: usize = 2;

/// How many live migrations leave this node at once: they share one link.
const MIGRATIONS_AT_ONCE: usize = 4;

/// A live migration that takes longer is given up; the memory of a busy large VM needs minutes.
const MIGRATION_LIMIT: Duration = Duration::from_secs(30 * 60);

/// Used for a VM whose own limit is unset or cannot be understood, as upstream does.
const DEFAULT_MAX_DOWNTIME_MS: u64 = 300;

/// The way to another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its libvirt, as this node's libvirt reaches it.
    pub peer_uri: String,
    /// Where its QEMU listens for VMs.
    pub migrate_uri: String,
}

/// How other nodes are reached.
#[derive(Clone)]
pub struct Peers {
    route: Arc<dyn Fn(&NodeName) -> Route + Send + Sync>,
    tls: bool,
}

impl Peers {
    /// Reaches nodes by `route`; encrypts what is sent if `tls`.
    pub fn new(route: impl Fn(&NodeName) -> Route + Send + Sync + 'static, tls: bool) -> Self {
        Self { route: Arc::new(route), tls }
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// The end of a VM's work.
pub(super) struct Ended {
    pub(super) uuid: VmUuid,
    /// How its long action ended; `None` if that was not reached.
    pub(super) outcome: Option<Outcome>,
}

/// Does work for VMs in the background. Dropping it drops the work: libvirt goes on with what
/// it was asked for, and the next daemon finds what became of it.
pub(super) struct Worker<T, H> {
    hands: Arc<Hands<T, H>>,
    migrations: Arc<Semaphore>,
    tasks: JoinSet<()>,
}

struct Hands<T, H> {
    tree: T,
    hypervisor: H,
    written: Starts,
    peers: Peers,
    locks: Option<LeftLocks>,
    nudge: Box<dyn Fn() + Send + Sync>,
    ended: mpsc::Sender<Ended>,
    starts: Semaphore,
    ends: Semaphore,
}

impl<T: Tree, H: Hypervisor> Worker<T, H> {
    pub(super) fn new(
        (tree, hypervisor, written): (T, H, Starts),
        (peers, locks): (Peers, Option<LeftLocks>),
        nudge: Box<dyn Fn() + Send + Sync>,
    ) -> (Self, mpsc::Receiver<Ended>) {
        // Filled by at most one end per VM at work and emptied at every activation; a sender
        // that finds it full waits, with its VM still at work.
        let (ended, receiver) = mpsc::channel(256);
        let (starts, ends) = (Semaphore::new(STARTS_AT_ONCE), Semaphore::new(ENDS_AT_ONCE));
        let hands = Hands { tree, hypervisor, written, peers, locks, nudge, ended, starts, ends };
        let migrations = Arc::new(Semaphore::new(MIGRATIONS_AT_ONCE));
        (Self { hands: Arc::new(hands), migrations, tasks: JoinSet::new() }, receiver)
    }

    /// Lets go of the tasks that have ended.
    pub(super) fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "the work for a VM broke off");
            }
        }
    }

    /// Whether work was begun. A migration is not while too many are under way: it may take half
    /// an hour until another one ends, and what is wished meanwhile must not wait behind it.
    ///
    /// `owners` says by whose locks a VM's start may be met.
    pub(super) fn begin(
        &mut self,
        uuid: VmUuid,
        vm: &Vm,
        steps: Vec<Step>,
        owners: Owners,
    ) -> bool {
        let leaves = match job_of(&steps) {
            Some(Action::Migrate { .. }) => {
                let Ok(turn) = Arc::clone(&self.migrations).try_acquire_owned() else {
                    return false;
                };
                Some(turn)
            }
            Some(Action::Start | Action::AskShutdown | Action::Destroy) | None => None,
        };
        let hands = Arc::clone(&self.hands);
        let name = vm.name.get().map_or_else(|| uuid.to_string(), ToString::to_string);
        let max_downtime_ms = vm.max_downtime_ms.copied().unwrap_or(DEFAULT_MAX_DOWNTIME_MS);
        let span = tracing::info_span!("vm", vm.name = name, vm.uuid = %uuid);
        let task = async move {
            let job = Job { uuid, name, max_downtime_ms, owners };
            let outcome = hands.perform(&job, &steps).await;
            // Free before the nudge: it leads to the next one's beginning.
            drop(leaves);
            if hands.ended.send(Ended { uuid, outcome }).await.is_ok() {
                (hands.nudge)();
            }
        };
        self.tasks.spawn(task.instrument(span));
        true
    }

    pub(super) fn abort_migration(&mut self, uuid: VmUuid) {
        let hands = Arc::clone(&self.hands);
        let span = tracing::info_span!("vm", vm.uuid = %uuid);
        let task = async move {
            tracing::info!("aborting its migration");
            if let Err(error) = hands.hypervisor.abort_migration(uuid).await {
                tracing::warn!(%error, "its migration could not be aborted");
            }
        };
        self.tasks.spawn(task.instrument(span));
    }
}

/// What the steps are done for.
struct Job {
    uuid: VmUuid,
    name: String,
    max_downtime_ms: u64,
    owners: Owners,
}

impl<T: Tree, H: Hypervisor> Hands<T, H> {
    /// Does the steps in order; stops at the first that fails.
    async fn perform(&self, job: &Job, steps: &[Step]) -> Option<Outcome> {
        let turns = match job_of(steps) {
            Some(Action::Start) => Some(&self.starts),
            Some(Action::AskShutdown | Action::Destroy) => Some(&self.ends),
            // It has had its turn already; and what is only written waits for nobody.
            Some(Action::Migrate { .. }) | None => None,
        };
        let _turn = match turns {
            Some(turns) => Some(turns.acquire().await.expect("never closed")),
            None => None,
        };
        let mut outcome = None;
        for step in steps {
            match step {
                Step::Write { goal, ops } => match self.tree.commit(ops.clone()).await {
                    Ok(()) => tracing::info!("VM {}: {goal}", job.name),
                    Err(CommitError::Superseded { path }) => {
                        tracing::debug!(path, "superseded: {goal}");
                        return None;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "VM {}: could not {goal}", job.name);
                        return None;
                    }
                },
                Step::Start => outcome = Some(self.start(job).await),
                Step::AskShutdown => {
                    outcome = Some(settle(job, step, self.hypervisor.shutdown(job.uuid).await));
                }
                Step::Destroy => {
                    outcome = Some(settle(job, step, self.hypervisor.destroy(job.uuid).await));
                }
                Step::Migrate { to } => outcome = Some(self.migrate(job, step, to).await),
                Step::AbortMigration => {
                    settle(job, step, self.hypervisor.abort_migration(job.uuid).await);
                }
            }
        }
        outcome
    }

    async fn start(&self, job: &Job) -> Outcome {
        let definition = match self.tree.get(key::vm_xml(job.uuid).path()).await {
            Ok(Some(entry)) => String::from_utf8(entry.data),
            Ok(None) => return refused(job, "it has no definition".to_owned()),
            Err(error) => {
                tracing::warn!(%error, "VM {}: cannot read its definition", job.name);
                return Outcome::Unclear(error.to_string());
            }
        };
        let Ok(xml) = definition else {
            return refused(job, "its definition is not UTF-8 text".to_owned());
        };
        let foreign = match &self.locks {
            Some(locks) => locks.take_own(job.uuid, &xml, &job.owners, &self.hypervisor).await,
            None => vec![],
        };
        if let Err(error) = self.written.begin(job.uuid) {
            tracing::error!(%error, "VM {}: its start cannot be written down", job.name);
            return Outcome::Unclear(error.to_string());
        }
        let start = async {
            let outcome = settle(job, &Step::Start, self.hypervisor.start(job.uuid, &xml).await);
            self.written.end(job.uuid, !matches!(outcome, Outcome::Unclear(_)));
            outcome
        };
        match &self.locks {
            Some(locks) => tokio::join!(start, locks.take_left(foreign, &self.tree)).0,
            None => start.await,
        }
    }

    async fn migrate(&self, job: &Job, step: &Step, to: &NodeName) -> Outcome {
        let route = (self.peers.route)(to);
        let destination = Destination {
            peer_uri: route.peer_uri,
            migrate_uri: route.migrate_uri,
            max_downtime_ms: job.max_downtime_ms,
            limit: MIGRATION_LIMIT,
            tls: self.peers.tls,
        };
        settle(job, step, self.hypervisor.migrate(job.uuid, &destination).await)
    }
}

fn refused(job: &Job, why: String) -> Outcome {
    tracing::warn!("VM {}: cannot start it: {why}", job.name);
    Outcome::Refused(why)
}

fn settle(job: &Job, step: &Step, result: Result<(), HypervisorError>) -> Outcome {
    match result {
        Ok(()) => {
            tracing::info!("VM {}: did {step}", job.name);
            Outcome::Done
        }
        Err(error) => {
            tracing::warn!(%error, "VM {}: could not {step}", job.name);
            let why = error.to_string();
            match error {
                HypervisorError::Refused { .. } | HypervisorError::MigrationTooLong { .. } => {
                    Outcome::Refused(why)
                }
                HypervisorError::NoAnswer { .. }
                | HypervisorError::Unreachable { .. }
                | HypervisorError::NoSuchVm { .. } => Outcome::Unclear(why),
            }
        }
    }
}
