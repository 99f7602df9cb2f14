//! How this node is known to live, and what it promises in case it is not: the uptime mesh, its
//! lease, and whether its BMC answers.
//!
//! Begins before all else of the daemon and ends after it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_common::view::View;
use pvc_host::real::{KernelPower, UdpWire};
use pvc_plan::mesh::Pace;
use pvc_runtime::drain::{Drain, DrainTrigger, drain};
use pvc_zk::Tree;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::{Config, Network};
use crate::kept_watchdog::KeptWatchdog;
use crate::mesh::{Ear, Heard, Peers, Port, Settings, accused_before};
use crate::{guard, mesh};

/// How long withdrawing the lease may hold up the end of the daemon.
const WITHDRAW_LIMIT: Duration = Duration::from_secs(2);

/// This node's part in the mesh; `None` within where it has none.
pub(crate) struct Liveness {
    node: NodeName,
    mesh: Option<Part>,
    trigger: DrainTrigger,
    drain: Drain,
    /// Withdrawn before the mesh ends, while others still hear this node.
    promise: Option<(DrainTrigger, JoinHandle<()>)>,
    tasks: Vec<JoinHandle<()>>,
    directory: PathBuf,
}

struct Part {
    settings: Settings,
    ear: Arc<Ear>,
    heard: watch::Receiver<Heard>,
}

/// The networks of the mesh: all traffic between nodes, and not the one towards users, where
/// hosts that are none of the cluster's could answer.
fn networks(config: &Config) -> Vec<Port> {
    let Some(mesh) = &config.high_availability.mesh else { return Vec::new() };
    if !mesh.addresses.is_empty() {
        let names = ["cluster", "storage"].into_iter().chain(std::iter::repeat("further"));
        let ports = mesh.addresses.iter().zip(names);
        return ports.map(|(address, network)| Port { network, address: *address }).collect();
    }
    let port = |network: &Network| {
        let address = IpAddr::V4(network.address?.addr());
        Some(Port { network: network.name.text(), address })
    };
    let networks = config.networks.as_ref();
    networks.into_iter().flat_map(|it| [&it.cluster, &it.storage]).filter_map(port).collect()
}

/// Where this node answers probes; empty without the mesh.
pub(crate) fn addresses(config: &Config) -> Vec<SocketAddr> {
    let port = config.high_availability.mesh.as_ref().map_or(0, |mesh| mesh.port);
    networks(config).into_iter().map(|it| SocketAddr::new(it.address, port)).collect()
}

impl Liveness {
    /// Answers probes and sends its own, to whom the last daemon of this boot knew.
    pub(crate) fn begin(config: &Config) -> Self {
        let (trigger, drain) = drain();
        let directory = config.directories.dynamic.clone();
        let mut liveness = Self {
            node: config.node.clone(),
            mesh: None,
            trigger,
            drain,
            promise: None,
            tasks: vec![],
            directory,
        };
        let networks = networks(config);
        let Some(mesh) = config.high_availability.mesh.as_ref().filter(|_| !networks.is_empty())
        else {
            return liveness;
        };
        let settings = Settings {
            node: config.node.clone(),
            port: mesh.port,
            networks,
            pace: Pace { every: mesh.every, suspect_after: mesh.suspect_after },
        };
        let accused = accused_before(&liveness.file("accused"));
        let ear = Arc::new(Ear::new(settings.pace, accused.as_ref()));
        if let Ok(text) = std::fs::read_to_string(liveness.file("peers")) {
            Peers::read(&text).tell(&config.node, &ear);
        }
        let (sender, heard) = watch::channel(Heard::default());
        let bind = |address| UdpWire::pair(address);
        let run =
            mesh::run(settings.clone(), Arc::clone(&ear), bind, sender, liveness.drain.clone());
        liveness.tasks.push(tokio::spawn(run));
        liveness.mesh = Some(Part { settings, ear, heard });
        liveness
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("mesh-{name}"))
    }

    /// By what this node hears others, if it takes part in the mesh.
    pub(crate) fn ear(&self) -> Option<Arc<Ear>> {
        self.mesh.as_ref().map(|part| Arc::clone(&part.ear))
    }

    /// What needs ZooKeeper: accuses, and shows whom it hears.
    pub(crate) fn join<T: Tree>(
        &mut self,
        tree: &T,
        every: Duration,
        views: &watch::Receiver<Option<Arc<View>>>,
    ) {
        let Some(part) = &self.mesh else { return };
        let (me, ear) = (&self.node, &part.ear);
        let accuse = mesh::accuse(
            tree.clone(),
            me.clone(),
            Arc::clone(ear),
            part.heard.clone(),
            self.file("accused"),
            self.drain.clone(),
        );
        let follow = mesh::follow(
            me.clone(),
            Arc::clone(ear),
            views.clone(),
            self.file("peers"),
            self.drain.clone(),
        );
        let publish = mesh::publish(
            tree.clone(),
            me.clone(),
            Arc::clone(ear),
            part.settings.networks.clone(),
            every,
            self.drain.clone(),
        );
        self.tasks.extend([tokio::spawn(accuse), tokio::spawn(follow), tokio::spawn(publish)]);
    }

    /// Promises to end in time when nobody hears this node, with what it has for that.
    pub(crate) fn promise<T: Tree>(
        &mut self,
        config: &Config,
        tree: &T,
        views: watch::Receiver<Option<Arc<View>>>,
        kept: watch::Receiver<Option<Instant>>,
    ) {
        let watchdog = config.high_availability.watchdog.as_ref().filter(|_| self.mesh.is_some());
        let suicide =
            config.intervals.suicide.map(|count| config.intervals.keepalive * count.get());
        let settings = guard::Settings {
            node: self.node.clone(),
            watchdog: watchdog.map(|it| (KeptWatchdog::new(&it.device), it.timeout)),
            suicide,
            power: KernelPower,
            mesh: self.mesh.is_some(),
            fencing: config.intervals.fence.is_some(),
            file: self.file("promise"),
        };
        let (sender, acked) = watch::channel(BTreeMap::new());
        if let Some(part) = &self.mesh {
            self.tasks.push(tokio::spawn(pass_on(part.heard.clone(), sender)));
        }
        let (trigger, drained) = drain();
        let sources = guard::Sources { acked, kept, views };
        let task = tokio::spawn(guard::run(tree.clone(), settings, sources, drained));
        self.promise = Some((trigger, task));
    }

    /// Withdraws the promise. What cannot be withdrawn in time is kept on, until the end.
    pub(crate) async fn withdraw(&mut self) {
        let Some((trigger, task)) = &mut self.promise else { return };
        trigger.drain();
        if timeout(WITHDRAW_LIMIT, task).await.is_ok() {
            self.promise = None;
        } else {
            tracing::warn!("the lease could not be withdrawn: the watchdog stays armed");
        }
    }

    /// Takes no more part, and feeds no more: a promise that stands is the next daemon's to keep.
    pub(crate) fn end(self) {
        self.trigger.drain();
        let promise = self.promise.map(|(_, task)| task);
        for task in self.tasks.into_iter().chain(promise) {
            task.abort();
        }
    }
}

/// The part of what is heard that a lease hangs on.
async fn pass_on(
    mut heard: watch::Receiver<Heard>,
    acked: watch::Sender<BTreeMap<NodeName, Instant>>,
) {
    while heard.changed().await.is_ok() {
        let now = heard.borrow_and_update().acked.clone();
        acked.send_replace(now);
    }
}
