//! The VMs of this node: the shell around `pvc_plan::vm`.
//!
//! Each activation looks at the view first and at libvirt second, for what the claim promises at
//! one moment libvirt can only be asked after it. Plans that take time become work of their
//! own, one at a time per VM; while it runs, the plan may only abort a migration.

mod locks;
mod report;
mod slot;
mod starts;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Node, Vm};
use pvc_common::observed::ObservedVm;
use pvc_common::state::DaemonState;
use pvc_common::view::View;
use pvc_libvirt::Hypervisor;
use pvc_plan::lock::{Owners, owners};
use pvc_plan::vm::{Here, Job, Plan, Situation, Step, Target, plan};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::Tree;
use tokio::sync::{mpsc, watch};

pub use locks::LeftLocks;
pub use report::Report;
use slot::{Slot, job_of};
pub use starts::Starts;
use work::{Ended, Worker};
pub use work::{Peers, Route};

/// How VMs are run here.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a guest may take to shut down before it is cut off.
    pub shutdown_timeout: Duration,
    /// How other nodes are reached.
    pub peers: Peers,
    /// Where starts are written down that libvirt has not answered yet; gone after a boot.
    pub starts: PathBuf,
    /// How locks are taken that QEMUs have left; `None` where there is no storage.
    pub locks: Option<LeftLocks>,
}

/// Keeps this node's VMs as the tree wants them.
pub struct VmKeeper<T, H> {
    me: NodeName,
    settings: Settings,
    tree: T,
    hypervisor: H,
    worker: Worker<T, H>,
    ended: mpsc::Receiver<Ended>,
    starts: Starts,
    slots: BTreeMap<VmUuid, Slot>,
    observed: watch::Sender<Arc<Vec<ObservedVm>>>,
}

impl<T: Tree, H: Hypervisor> VmKeeper<T, H> {
    /// A keeper that has not looked yet, and where it shows what runs here.
    ///
    /// `nudge` is called whenever a work has ended: it must lead to an activation.
    pub fn new(
        me: NodeName,
        settings: Settings,
        tree: T,
        hypervisor: H,
        starts: Starts,
        nudge: impl Fn() + Send + Sync + 'static,
    ) -> (Self, watch::Receiver<Arc<Vec<ObservedVm>>>) {
        let hands = (tree.clone(), hypervisor.clone(), starts.clone());
        let ways = (settings.peers.clone(), settings.locks.clone());
        let (worker, ended) = Worker::new(hands, ways, Box::new(nudge));
        let (observed, seen) = watch::channel(Arc::default());
        let slots = BTreeMap::new();
        (Self { me, settings, tree, hypervisor, worker, ended, starts, slots, observed }, seen)
    }

    /// Takes in the work that has ended since the last activation.
    fn collect(&mut self) {
        self.worker.reap();
        while let Ok(ended) = self.ended.try_recv() {
            if let Some(slot) = self.slots.get_mut(&ended.uuid) {
                slot.end(ended.outcome, now());
            }
        }
    }

    /// Every VM that could need something of this node.
    fn concerned(&self, view: &View, here: &BTreeMap<VmUuid, ObservedVm>) -> BTreeSet<VmUuid> {
        let mine = view.vms.iter().filter(|(_, vm)| {
            let assigned = vm.node.get().and_then(Option::as_ref) == Some(&self.me);
            assigned || vm.claim.get().is_some_and(|claim| claim.holder == self.me)
        });
        mine.map(|(uuid, _)| *uuid)
            .chain(here.keys().copied())
            .chain(self.slots.iter().filter(|(_, slot)| slot.busy()).map(|(uuid, _)| *uuid))
            .collect()
    }

    /// Which VMs libvirt is still sending elsewhere for a daemon that has died.
    ///
    /// Asked before the VMs are listed: one that is seen to run afterwards stayed.
    async fn orphaned_migrations(&self, view: &View) -> BTreeSet<VmUuid> {
        let mut migrating = BTreeSet::new();
        for (uuid, vm) in &view.vms {
            let departing = vm
                .claim
                .get()
                .is_some_and(|claim| claim.holder == self.me && claim.incoming.is_some());
            let ours = self.slots.get(uuid).is_some_and(Slot::busy);
            if departing && !ours {
                match self.hypervisor.migration(*uuid).await {
                    Ok(None) => {}
                    Ok(Some(_)) => drop(migrating.insert(*uuid)),
                    Err(error) => {
                        // Not known to be over is treated as under way.
                        tracing::debug!(vm.uuid = %uuid, %error, "cannot ask for a migration");
                        migrating.insert(*uuid);
                    }
                }
            }
        }
        migrating
    }

    fn decide(&mut self, uuid: VmUuid, vm: &Vm, seen: &Seen<'_>) -> Plan {
        let now = now();
        let here = match &seen.here {
            None => Here::Unknown,
            Some(here) => match here.get(&uuid) {
                Some(vm) => Here::Present(vm.run),
                None if self.starts.in_doubt(uuid).is_some() => Here::Unknown,
                None => Here::Absent,
            },
        };
        let target = vm.node.get().and_then(Option::as_ref).and_then(|to| seen.view.nodes.get(to));
        let own = seen.view.nodes.get(&self.me);
        let slot = self.slots.entry(uuid).or_default();
        slot.memory.observe(here, vm.claim.expected(), now);
        let situation = Situation {
            me: &self.me,
            uuid,
            vm,
            here,
            migrating: seen.migrating.contains(&uuid),
            job: slot.job(),
            memory: &slot.memory,
            may_start: seen.may_start,
            own_state: own.map_or(&pvc_common::zk::Seen::Absent, |own| &own.daemon_state),
            target: target.map_or(Target::Away, |node| readiness(node.as_ref())),
            shutdown_timeout: self.settings.shutdown_timeout,
            now,
        };
        let (plan, wish) = (plan(&situation), situation.wish());
        slot.wish = Some(wish);
        plan
    }

    /// Sets a plan to work. A VM at work is left alone, but for a migration to be aborted.
    fn act(&mut self, uuid: VmUuid, vm: &Vm, plan: Plan, view: &View) {
        let Some(slot) = self.slots.get_mut(&uuid) else { return };
        slot.explain(uuid, vm, &plan.notes);
        if plan.steps.is_empty() {
            return;
        }
        if slot.busy() {
            if plan.steps == [Step::AbortMigration] {
                self.worker.abort_migration(uuid);
            }
            return;
        }
        let job = job_of(&plan.steps);
        let owners = match job {
            Some(Job::Start) => owners(view),
            Some(Job::AskShutdown | Job::Destroy | Job::Migrate { .. }) | None => Owners::new(),
        };
        if self.worker.begin(uuid, vm, plan.steps, owners) {
            slot.begin(job);
        }
    }

    fn may_start(&self, view: &View) -> bool {
        let own = view.nodes.get(&self.me);
        self.tree.session().borrow().live().is_some()
            && own.is_some_and(|node| node.daemon_state.copied() == Some(DaemonState::Run))
    }
}

fn readiness(node: &Node) -> Target {
    match node.daemon_state.copied() {
        Some(DaemonState::Run) => Target::Serves,
        Some(DaemonState::Init) => Target::Starting,
        Some(DaemonState::Dead | DaemonState::Fenced) => Target::Dead,
        Some(DaemonState::Shutdown | DaemonState::Stop) | None => Target::Away,
    }
}

/// The time by which plans reckon: tokio's, which tests can pass quickly.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What one activation has seen.
struct Seen<'a> {
    view: &'a View,
    /// `None`: libvirt does not answer.
    here: Option<BTreeMap<VmUuid, ObservedVm>>,
    migrating: BTreeSet<VmUuid>,
    may_start: bool,
}

impl<T: Tree, H: Hypervisor> Reconciler for VmKeeper<T, H> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "vms";
    const PERIOD: Duration = Duration::from_secs(5);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        self.collect();
        let migrating = self.orphaned_migrations(&view).await;
        let here = match self.hypervisor.vms().await {
            Ok(vms) => {
                self.observed.send_replace(Arc::new(vms.clone()));
                Some(vms.into_iter().map(|vm| (vm.uuid, vm)).collect())
            }
            Err(error) => {
                tracing::warn!(%error, "cannot list the VMs of this node");
                None
            }
        };
        let shown = here.as_ref().map(|here: &BTreeMap<_, _>| here.keys().copied().collect());
        self.starts.look(shown.as_ref(), now());
        let may_start = self.may_start(&view);
        let seen = Seen { view: &view, here, migrating, may_start };
        let none = BTreeMap::new();
        let concerned = self.concerned(&view, seen.here.as_ref().unwrap_or(&none));
        let mut wake_at: Option<Instant> = None;
        for uuid in &concerned {
            // A domain of libvirt that is no VM of the cluster is nobody's business here.
            let Some(vm) = view.vms.get(uuid) else { continue };
            let plan = self.decide(*uuid, vm, &seen);
            let doubt = self.starts.in_doubt(*uuid);
            wake_at = wake_at.into_iter().chain(plan.wake_at).chain(doubt).min();
            self.act(*uuid, vm, plan, &view);
        }
        self.slots.retain(|uuid, slot| slot.busy() || view.vms.contains_key(uuid));
        let busy = self.slots.values().filter(|slot| slot.busy()).count();
        let report = Report { here: seen.here.map(|here| here.len()), busy };
        Outcome { report, wake_at: wake_at.map(Into::into) }
    }
}
