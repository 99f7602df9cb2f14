//! The serving daemon: every task and reconciler of a node, and the order in which they end.
//!
//! ```text
//!  keepalive ─────────────────────────────────────────────────────────── ends last
//!  statistics, console, VMs, flush, primary, fencing ──── work drained ──┘
//! ```

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pvc_ceph::{Ceph, Statistics};
use pvc_common::id::NodeName;
use pvc_common::state::{CoordinatorState, DaemonState, Word};
use pvc_common::view::View;
use pvc_common::zk::{Seen, Text, key};
use pvc_ipmi::Power;
use pvc_libvirt::Hypervisor;
use pvc_plan::fence::Policy;
use pvc_runtime::drain::{Drain, DrainTrigger, drain};
use pvc_runtime::reconcile::{Nudge, Registry, spawn_with};
use pvc_zk::{Entry, Tree};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::admission::Admitter;
use crate::fence::{FenceKeeper, Means};
use crate::flush::Flusher;
use crate::keeper::Keeper;
use crate::mesh::Ear;
use crate::primary::{Outfit, OutfitError, PrimaryKeeper, Troubles, let_go};
use crate::settings::Teller;
use crate::stats::{HostFigures, Sources};
use crate::task::TaskKeeper;
use crate::vm::VmKeeper;
use crate::{console, disks, keepalive, stats, storage, task, vm, vnc};

/// How long a primary that stops may take to pass its part on. Longer than a service may take
/// to end: a daemon that goes before it has let go of the addresses keeps everybody waiting.
const HAND_OVER_LIMIT: Duration = Duration::from_secs(110);

/// How long after nobody heard it a primary that stops says so again.
const AGAIN: Duration = Duration::from_millis(500);

/// A longer break than any reconnection to an ensemble that is in order, or elects a leader on a busy
/// machine: a primary that ends without being heard leaves its seat to nobody until it is proved dead.
const CUT_OFF_AFTER: Duration = Duration::from_secs(10);

/// How long the tasks of a daemon that stops may take to end.
const END_LIMIT: Duration = Duration::from_secs(10);

/// How a node serves.
pub struct Settings {
    /// This node.
    pub node: NodeName,
    /// Time between two keepalives.
    pub keepalive: Duration,
    /// Whether each keepalive is logged.
    pub log_keepalives: bool,
    /// Whether the node's figures are logged.
    pub log_details: bool,
    /// Whether the storage's figures are logged.
    pub log_storage: bool,
    /// What the whole cluster goes by while this node is primary: paths and texts.
    pub by_primary: Vec<(String, String)>,
    /// How VMs are run; `None` on a node that runs none.
    pub vms: Option<vm::Settings>,
    /// Where consoles are and how much of them is kept.
    pub console: console::Settings,
    /// Where the figures of the machine come from.
    pub host: Box<dyn Fn() -> std::io::Result<HostFigures> + Send + Sync>,
}

/// What a node serves with.
pub struct Parts<T, H, O, P, C> {
    /// The tree.
    pub tree: T,
    /// The hypervisor.
    pub hypervisor: H,
    /// What a primary has; `None` on a node that is no coordinator.
    pub outfit: Option<O>,
    /// Where it is told what is amiss with that.
    pub troubles: Troubles,
    /// The cluster as it changes.
    pub views: watch::Receiver<Option<Arc<View>>>,
    /// How dead nodes are seen to; `None` on a node that is no coordinator.
    pub fencing: Option<Fencing<P, C>>,
    /// The storage.
    pub ceph: Storage<C>,
    /// Whatever else this node sees to.
    pub keepers: Vec<Keeper>,
}

/// What a node does with its storage; nothing on a node without.
pub struct Storage<C> {
    /// Whether its clients are shut out, by Ceph and their addresses; `None` if they never are.
    pub fencing: Option<(C, Vec<IpAddr>)>,
    /// Whose figures a coordinator publishes while it is primary.
    pub figures: Option<C>,
    /// What tasks are done with.
    pub tasks: Option<C>,
    /// This node's OSDs.
    pub rack: Option<Arc<dyn task::osd::Rack>>,
}

/// How dead nodes are seen to.
pub struct Fencing<P, C> {
    /// What administrators have decided.
    pub policy: Policy,
    /// By what proofs are had.
    pub means: Means<P, C>,
    /// What this node hears of the others in the mesh, if there is one.
    pub ear: Option<Arc<Ear>>,
}

/// A serving node.
pub struct Service<T> {
    tree: T,
    node: NodeName,
    views: watch::Receiver<Option<Arc<View>>>,
    /// When the last keepalive was sent that was acknowledged.
    pub kept: watch::Receiver<Option<std::time::Instant>>,
    /// What every reconciler is doing.
    pub registry: Registry,
    work: DrainTrigger,
    life: DrainTrigger,
    working: Vec<JoinHandle<()>>,
    living: JoinHandle<()>,
    /// Lays down what a primary has, once nothing takes it up any more; `None` on a node that is no coordinator.
    letting_go: Option<LettingGo>,
}

type LettingGo = Pin<Box<dyn Future<Output = Result<(), OutfitError>> + Send>>;

/// Starts everything. The node's record must be in the tree.
pub fn serve<T, H, O, P, C>(settings: Settings, parts: Parts<T, H, O, P, C>) -> Service<T>
where
    T: Tree,
    H: Hypervisor,
    O: Outfit + Sync,
    P: Power,
    C: task::Storage + Statistics,
{
    let ((work, working_drain), (life, life_drain)) = (drain(), drain());
    let registry = Registry::default();
    let Parts { tree, hypervisor, outfit, troubles, views, fencing, ceph, keepers } = parts;
    let Storage { fencing: admission, figures, tasks, rack } = ceph;
    let node = settings.node.clone();
    let (kept_sender, kept) = watch::channel(None);
    let beats = keepalive::Settings {
        node: node.clone(),
        every: settings.keepalive,
        log: settings.log_keepalives,
        storage: admission.is_some(),
    };
    let beats = keepalive::run(tree.clone(), beats, views.clone(), kept_sender, life_drain);
    let living = tokio::spawn(beats);
    let crew = Crew { tree, views, registry, drain: working_drain };
    let mut working = vec![crew.flush(node.clone())];
    let starts = settings.vms.as_ref().map(|vms| vm::Starts::found(vms.starts.clone()));
    working.extend(admission.map(|storage| {
        let vms = starts.clone().map(|starts| (hypervisor.clone(), starts));
        crew.admission(node.clone(), vms, storage)
    }));
    let tools = task::Tools {
        tree: crew.tree.clone(),
        hypervisor: starts.is_some().then(|| hypervisor.clone()),
        ceph: tasks,
        rack,
    };
    working.extend(tools.rack.clone().map(|rack| crew.wake_osds(node.clone(), rack)));
    working.push(crew.tasks(node.clone(), tools));
    let mut letting_go = None;
    if let Some(outfit) = outfit.map(Arc::new) {
        let last = Arc::clone(&outfit);
        letting_go = Some(Box::pin(async move { let_go(&last).await }) as LettingGo);
        working.extend(figures.map(|ceph| crew.figures(&settings, ceph)));
        working.push(crew.primary(node.clone(), outfit, troubles));
        working.push(crew.settings(node.clone(), settings.by_primary.clone()));
    }
    working.extend(fencing.map(|fencing| crew.fence(node.clone(), fencing)));
    for keeper in keepers {
        working.extend(keeper.spawn(&crew.views, &crew.registry, &crew.drain));
    }
    working.extend(crew.run_vms(settings, hypervisor, starts));
    let Crew { tree, views, registry, .. } = crew;
    Service { tree, node, views, kept, registry, work, life, working, living, letting_go }
}

/// What every task of the crew is given.
struct Crew<T> {
    tree: T,
    views: watch::Receiver<Option<Arc<View>>>,
    registry: Registry,
    drain: Drain,
}

impl<T: Tree> Crew<T> {
    fn flush(&self, node: NodeName) -> JoinHandle<()> {
        let flusher = Flusher::new(node, self.tree.clone());
        let nudge = Nudge::default();
        spawn_with(flusher, nudge, self.views.clone(), &self.registry, &self.drain).task
    }

    fn primary<O: Outfit + Sync>(
        &self,
        node: NodeName,
        outfit: O,
        troubles: Troubles,
    ) -> JoinHandle<()> {
        let (tree, views) = (self.tree.clone(), self.views.clone());
        let keeper = PrimaryKeeper::new(node, tree, outfit, views, troubles);
        let nudge = Nudge::default();
        spawn_with(keeper, nudge, self.views.clone(), &self.registry, &self.drain).task
    }

    fn fence<P: Power, C: Ceph>(&self, node: NodeName, fencing: Fencing<P, C>) -> JoinHandle<()> {
        let nudge = Nudge::default();
        let ended = nudge.clone();
        let Fencing { policy, means, ear } = fencing;
        let keeper =
            FenceKeeper::new(node, self.tree.clone(), policy, ear, means, move || ended.nudge());
        spawn_with(keeper, nudge, self.views.clone(), &self.registry, &self.drain).task
    }

    fn admission<H: Hypervisor, C: Ceph>(
        &self,
        node: NodeName,
        vms: Option<(H, vm::Starts)>,
        storage: (C, Vec<IpAddr>),
    ) -> JoinHandle<()> {
        let admitter = Admitter::new(node, self.tree.clone(), vms, storage);
        let nudge = Nudge::default();
        spawn_with(admitter, nudge, self.views.clone(), &self.registry, &self.drain).task
    }

    fn tasks<H: Hypervisor, C: task::Storage>(
        &self,
        node: NodeName,
        tools: task::Tools<T, H, C>,
    ) -> JoinHandle<()> {
        let nudge = Nudge::default();
        let ended = nudge.clone();
        let keeper = TaskKeeper::new(node, tools, move || ended.nudge());
        spawn_with(keeper, nudge, self.views.clone(), &self.registry, &self.drain).task
    }

    fn wake_osds(&self, node: NodeName, rack: Arc<dyn task::osd::Rack>) -> JoinHandle<()> {
        let waker = task::osd::Waker::new(node, self.tree.clone(), rack);
        let nudge = Nudge::default();
        spawn_with(waker, nudge, self.views.clone(), &self.registry, &self.drain).task
    }

    fn settings(&self, node: NodeName, settings: Vec<(String, String)>) -> JoinHandle<()> {
        let teller = Teller::new(node, self.tree.clone(), settings);
        let nudge = Nudge::default();
        spawn_with(teller, nudge, self.views.clone(), &self.registry, &self.drain).task
    }

    fn figures<C: Statistics>(&self, settings: &Settings, ceph: C) -> JoinHandle<()> {
        let (tree, views, drain) = (self.tree.clone(), self.views.clone(), self.drain.clone());
        let settings = storage::Settings {
            node: settings.node.clone(),
            every: settings.keepalive,
            log: settings.log_storage,
        };
        tokio::spawn(storage::run(tree, settings, ceph, views, drain))
    }

    /// The VMs of this node, their consoles and figures.
    fn run_vms<H: Hypervisor>(
        &self,
        settings: Settings,
        hypervisor: H,
        starts: Option<vm::Starts>,
    ) -> Vec<JoinHandle<()>> {
        let Settings { node, vms, console, host, keepalive, log_details, .. } = settings;
        let (tree, drain) = (&self.tree, &self.drain);
        let mut tasks = Vec::new();
        let asked = vms.is_some().then(|| hypervisor.clone());
        let here = match vms.zip(starts) {
            Some((vms, starts)) => {
                let nudge = Nudge::default();
                let ended = nudge.clone();
                let (tree, hypervisor) = (tree.clone(), hypervisor.clone());
                let (keeper, here) =
                    VmKeeper::new(node.clone(), vms, tree, hypervisor.clone(), starts, move || {
                        ended.nudge();
                    });
                let events = hypervisor.events();
                tasks.push(tokio::spawn(forward(events, nudge.clone(), drain.clone())));
                let views = self.views.clone();
                tasks.push(spawn_with(keeper, nudge, views, &self.registry, drain).task);
                here
            }
            None => watch::channel(Arc::default()).1,
        };
        let consoles = console::run(tree.clone(), console, here.clone(), drain.clone());
        tasks.push(tokio::spawn(consoles));
        let vnc = vnc::run(tree.clone(), hypervisor.clone(), here.clone(), drain.clone());
        tasks.push(tokio::spawn(vnc));
        let disks = disks::run(tree.clone(), hypervisor.clone(), here.clone(), drain.clone());
        tasks.push(tokio::spawn(disks));
        let sources = Sources {
            host,
            hypervisor: asked,
            here,
            views: self.views.clone(),
            devices: "/sys/class/net".into(),
        };
        let figures =
            stats::run(tree.clone(), node, keepalive, sources, log_details, drain.clone());
        tasks.push(tokio::spawn(figures));
        tasks
    }
}

/// Whatever happens in the hypervisor leads to an activation.
async fn forward(mut events: watch::Receiver<u64>, nudge: Nudge, drain: Drain) {
    let pass_on = async {
        while events.changed().await.is_ok() {
            nudge.nudge();
        }
    };
    tokio::select! {
        () = drain.drained() => {}
        () = pass_on => {}
    }
}

impl<T: Tree> Service<T> {
    /// Stops in order: announces it, passes the primary's part on, ends the work, and the
    /// keepalive last. VMs keep running.
    pub async fn stop(self) {
        let handed_over = self.hand_over().await;
        self.work.drain();
        let deadline = Instant::now() + END_LIMIT;
        let mut ended = true;
        for task in self.working {
            if timeout_at(deadline, task).await.is_err() {
                ended = false;
                tracing::warn!("a task did not end in time");
            }
        }
        let mut last = Last::Stops;
        // Whatever still runs may take something up again.
        if let Some(letting_go) = self.letting_go.filter(|_| !handed_over && ended) {
            match letting_go.await {
                Ok(()) => last = Last::StopsWithoutAddresses,
                Err(error) => tracing::warn!("still with addresses of the primary: {error}"),
            }
        }
        if let Err(trouble) = declare(&self.tree, &self.node, last).await {
            tracing::warn!(error = trouble, "could not declare that this node stops");
        }
        self.life.drain();
        if timeout(END_LIMIT, self.living).await.is_err() {
            tracing::warn!("the keepalive did not end in time");
        }
    }

    /// Ends everything at once, wherever it is, and says nothing to anybody: what a power cut or
    /// `kill -9` does, for tests of what the next daemon makes of it.
    pub fn kill(self) {
        for task in self.working {
            task.abort();
        }
        self.living.abort();
    }

    /// Says that this node goes, until somebody hears it.
    async fn announce(&self) {
        let mut told = false;
        while let Err(trouble) = declare(&self.tree, &self.node, Last::Goes).await {
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(error = trouble, "could not declare that this node goes; trying on");
            }
            sleep(AGAIN).await;
        }
    }

    /// Says that this node goes, and waits until it is not primary any more; the reconcilers see
    /// to it. Whether they did.
    async fn hand_over(&self) -> bool {
        let mut views = self.views.clone();
        let retired = views.wait_for(|view| {
            let state = view
                .as_ref()
                .and_then(|view| view.nodes.get(&self.node))
                .map(|node| (node.daemon_state.copied(), node.coordinator_state.copied()));
            match state {
                // Until the view shows the announcement it says nothing about the hand-over.
                Some((Some(DaemonState::Shutdown), Some(coordinator))) => match coordinator {
                    CoordinatorState::Client | CoordinatorState::Secondary => true,
                    CoordinatorState::Takeover
                    | CoordinatorState::Primary
                    | CoordinatorState::Relinquish => false,
                },
                Some((
                    Some(
                        DaemonState::Init
                        | DaemonState::Run
                        | DaemonState::Stop
                        | DaemonState::Dead
                        | DaemonState::Fenced,
                    )
                    | None,
                    _,
                ))
                | Some((_, None)) => false,
                None => true,
            }
        });
        let limit_s = HAND_OVER_LIMIT.as_secs();
        let handed_over = async {
            self.announce().await;
            retired.await
        };
        tokio::select! {
            biased;
            retired = timeout(HAND_OVER_LIMIT, handed_over) => {
                if retired.is_err() {
                    tracing::warn!(
                        limit_s,
                        "still primary after the time to hand over; stopping anyway"
                    );
                }
                retired.is_ok_and(|seen| seen.is_ok())
            }
            () = cut_off(&self.tree) => {
                tracing::warn!("without ZooKeeper nothing can be handed over; stopping anyway");
                false
            }
        }
    }
}

/// Returns once there was no live session for a while.
async fn cut_off<T: Tree>(tree: &T) {
    let mut session = tree.session();
    // An error means that the tree was closed: then it is cut off for good.
    while session.wait_for(|session| session.live().is_none()).await.is_ok() {
        let back = session.wait_for(|session| session.live().is_some());
        if timeout(CUT_OFF_AFTER, back).await.is_err() {
            return;
        }
    }
}

/// What a daemon says of itself when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// It is about to stop.
    Goes,
    /// It stops.
    Stops,
    /// It stops, and none of the primary's addresses is here.
    StopsWithoutAddresses,
}

impl Last {
    const fn state(self) -> DaemonState {
        match self {
            Self::Goes => DaemonState::Shutdown,
            Self::Stops | Self::StopsWithoutAddresses => DaemonState::Stop,
        }
    }
}

/// Writes the daemon's own state, whatever it was; and that it is secondary, if it has let go of the
/// addresses: others wait for that before they take them.
///
/// There is no next activation that would do what failed, and a daemon that ends without having
/// said so is taken for dead: a write that was lost, or overtaken, is repeated. One that was not
/// even preceded by an answer is not, for then there is nobody to tell.
async fn declare<T: Tree>(tree: &T, node: &NodeName, last: Last) -> Result<(), String> {
    const ATTEMPTS: usize = 3;
    let (daemon, part) = (key::node_daemon_state(node), key::node_coordinator_state(node));
    let (paths, state) = ([daemon.path().to_owned(), part.path().to_owned()], last.state());
    let mut trouble = String::new();
    for _ in 0..ATTEMPTS {
        let found = tree.get_many(&paths).await.map_err(|error| error.to_string())?;
        let [own, held] = &*found else { return Err("not every key was answered".to_owned()) };
        let mut ops = vec![daemon.put(&seen(own.as_ref()), &state)];
        let held = seen::<CoordinatorState>(held.as_ref());
        let retires = last == Last::StopsWithoutAddresses
            && matches!(
                held.copied(),
                Some(
                    CoordinatorState::Takeover
                        | CoordinatorState::Primary
                        | CoordinatorState::Relinquish
                )
            );
        if retires {
            ops.push(part.put(&held, &CoordinatorState::Secondary));
        }
        match tree.commit(ops).await {
            Ok(()) => {
                tracing::info!(node.name = %node, "daemon state: {}", state.text());
                if retires {
                    tracing::info!(node.name = %node, "primary: the addresses are for others to take");
                }
                return Ok(());
            }
            Err(error) => trouble = error.to_string(),
        }
    }
    Err(trouble)
}

fn seen<V: Text>(entry: Option<&Entry>) -> Seen<V> {
    Seen::read(entry.map(|entry| (&*entry.data, entry.version)))
}
