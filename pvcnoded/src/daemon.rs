//! The life of the daemon: comes up, serves, ends in order.

use std::future::Future;
use std::time::Duration;

use pvc_common::model::Presence;
use pvc_common::state::Word;
use pvc_common::view::View;
use pvc_common::zk::schema;
use pvc_host::fact::Facts;
use pvc_host::real::{Netlink, ProcSys, SysfsSriov, Systemctl};
use pvc_libvirt::fake::FakeRoom;
use pvc_libvirt::{Hypervisor, Libvirt, Limits};
use pvc_runtime::banner::banner;
use pvc_runtime::drain::{Drain, DrainTrigger, drain};
use pvc_runtime::log::{Ring, mark, publish};
use pvc_zk::{Mirror, Settings as ZkSettings, Tree, ZkTree};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::assembly::AtHand;
use crate::config::{Config, HypervisorUri};
use crate::health::Health;
use crate::image::ClusterImage;
use crate::liveness::Liveness;
use crate::startup::node_log::NodeLog;
use crate::startup::ready::{self, Machine};
use crate::startup::{fate, host, join, node_log, reexec};
use crate::{assembly, bmc, sriov, traffic};

/// How long libvirt may take to come up with the machine.
const HYPERVISOR_LIMIT: Duration = Duration::from_secs(60);
/// How long the last figures and lines of the log may take to reach the tree.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(3);

/// Why the daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to stop.
    Asked,
    /// The layout of the tree is another one now: it has to begin anew.
    SchemaChanged,
    /// It could not begin.
    Failed,
}

/// Runs the daemon until it is drained or has to begin anew.
pub async fn run(config: Config, ring: Ring, drain: Drain) -> Ended {
    let facts = match Facts::read() {
        Ok(facts) => facts,
        Err(error) => {
            tracing::error!(%error, "this machine cannot be described");
            return Ended::Failed;
        }
    };
    let presence = match assembly::presence(&config) {
        Ok(presence) => presence,
        Err(error) => {
            tracing::error!(%error, "the kernel does not tell which boot this is");
            return Ended::Failed;
        }
    };
    // Before all else: while nobody answers for this node it looks dead.
    let mut liveness = Liveness::begin(&config);
    show_banner(&config, &facts);
    let settings =
        ZkSettings { session_timeout: config.cluster.session_timeout, ..ZkSettings::default() };
    let tree = ZkTree::connect(config.cluster.connections(&config.node), settings);
    let host = Host { config: &config, facts: &facts, presence: &presence };
    let ended = match &config.hypervisor.uri {
        HypervisorUri::Fake => {
            let hypervisor = FakeRoom::new().node(config.node.as_str());
            live(host, &mut liveness, &tree, hypervisor, ring, &drain).await
        }
        HypervisorUri::Libvirt(uri) => match Libvirt::new(uri, Limits::default()) {
            Ok(hypervisor) => live(host, &mut liveness, &tree, hypervisor, ring, &drain).await,
            Err(error) => {
                tracing::error!(%error, "no threads can be had for talking to libvirt");
                Ended::Failed
            }
        },
    };
    tree.close().await;
    tracing::info!(mark = mark::SYSTEM, "pvcnoded ends");
    // Last of all: from here on the watchdog's time runs, until the next daemon feeds it.
    liveness.end();
    ended
}

/// The result of `work`, unless it is time to stop.
async fn until<R>(drain: &Drain, work: impl Future<Output = R>) -> Option<R> {
    tokio::select! {
        biased;
        () = drain.drained() => None,
        result = work => Some(result),
    }
}

fn show_banner(config: &Config, facts: &Facts) {
    let fqdn = config.fqdn();
    let number = config.node.number().map_or_else(|| "none".to_owned(), |n| n.to_string());
    let cluster = config.cluster.name.as_deref().unwrap_or("(as named in the cluster)");
    let lines = banner(
        "pvcnoded",
        config.debug,
        &[
            ("Cluster", &cluster),
            ("FQDN", &fqdn),
            ("Host", &config.node),
            ("ID", &number),
            ("Mode", &assembly::mode(config).text()),
            ("IPMI", &config.fencing.ipmi.host),
            ("CPUs", &facts.cpu_count),
            ("Arch", &facts.arch),
            ("OS", &facts.os),
            ("Kernel", &facts.kernel),
        ],
    );
    for line in lines {
        tracing::info!(mark = mark::SYSTEM, "{line}");
    }
    tracing::info!(mark = mark::SYSTEM, "starting pvcnoded on host {fqdn}");
    for advice in config.advice() {
        tracing::warn!("configuration: {advice}");
    }
    for exposed in config.exposed(&Config::path()) {
        tracing::warn!("configuration: {exposed}");
    }
}

/// What needs nothing but this machine; `true` if its networks are as they are configured.
async fn ready_host(config: &Config, links: &Netlink, again: bool) -> bool {
    // First: this node's own networks may be on a card's functions.
    let cards = assembly::sriov_cards(config);
    sriov::set_up(&SysfsSriov::default(), &config.node, &cards).await;
    let machine = Machine { links, settings: &ProcSys::default(), units: &Systemctl };
    machine.make_ready(config, again).await
}

/// This host, as it is configured and as it was found.
struct Host<'a> {
    config: &'a Config,
    facts: &'a Facts,
    presence: &'a Presence,
}

fn open_links() -> Option<Netlink> {
    let opened = Netlink::open();
    opened.inspect_err(|error| tracing::error!(%error, "the kernel gives no netlink socket")).ok()
}

/// Everything between the first sign of life and the last.
async fn live<T: Tree, H: Hypervisor>(
    host: Host<'_>,
    liveness: &mut Liveness,
    tree: &T,
    hypervisor: H,
    ring: Ring,
    drain: &Drain,
) -> Ended {
    let Host { config, .. } = host;
    // The views come later; what was promised before is kept from now on: services may take
    // longer to start than the watchdog has patience.
    let (view_sender, views) = watch::channel(None);
    let (kept_sender, kept) = watch::channel(None);
    liveness.join(tree, config.intervals.keepalive, &views);
    liveness.promise(config, tree, views, kept);
    let Some(links) = open_links() else {
        return Ended::Failed;
    };
    let joined = join_cluster(&host, &links, tree, &ring);
    let Some((in_order, active, mirror)) = until(drain, joined).await else {
        liveness.withdraw().await;
        return Ended::Asked;
    };
    let health = Health::new(config.node.clone(), tree.clone());
    let mut attendants = Attendants::begin(config, tree, &health, ring);
    if !in_order {
        attendants.mend_networks(config, links.clone());
    }
    attendants.pass_on(mirror.view(), view_sender);
    if config.functions.hypervisor {
        // Asked while the daemon serves: nothing is gained by making the keepalive wait for it.
        let hypervisor = hypervisor.clone();
        tokio::spawn(async move { host::await_hypervisor(&hypervisor, HYPERVISOR_LIMIT).await });
    }
    let keepers = assembly::keepers(config, tree, &links, &health, mirror.latest()).await;
    let (ear, health, mirror) = (liveness.ear(), &health, &mirror);
    let at_hand = AtHand { tree: tree.clone(), mirror, health, links, ear, keepers };
    let service = assembly::begin(config, hypervisor, at_hand);
    attendants.pass_on(service.kept.clone(), kept_sender);
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::debug!(%error, "no supervisor to tell that the daemon serves");
    }
    tracing::info!(mark = mark::SYSTEM, "pvcnoded serves");
    let ended = match until(drain, reexec::schema_changed(tree, active)).await {
        None => {
            tracing::info!(mark = mark::SYSTEM, "pvcnoded is asked to stop; VMs keep running");
            service.stop().await;
            liveness.withdraw().await;
            Ended::Asked
        }
        Some(new) => {
            tracing::info!(
                mark = mark::SYSTEM,
                "schema version {active} -> {new}: pvcnoded begins anew"
            );
            if new > schema::LATEST {
                // The next process can but wait for an upgrade, and must not be fenced for it.
                service.stop().await;
                liveness.withdraw().await;
            } else {
                // Ends its tasks wherever they are: the next process takes over at once, also
                // what was promised.
                drop(service);
            }
            Ended::SchemaChanged
        }
    };
    attendants.end().await;
    ended
}

/// A ready host, session, layout, fate, record, name, and the first complete view.
///
/// Returns whether the host's own networks are in order, the layout, and the view as it changes.
async fn join_cluster<T: Tree>(
    host: &Host<'_>,
    links: &Netlink,
    tree: &T,
    ring: &Ring,
) -> (bool, u32, Mirror<View>) {
    let Host { config, facts, presence, .. } = host;
    let ready = async |again| ready_host(config, links, again).await;
    let in_order = join::await_session(tree, &config.cluster.zookeeper, ready).await;
    let active = join::settle_schema(tree, &config.node, schema::LATEST).await;
    fate::await_fate(tree, &config.node, presence).await;
    let identity = assembly::identity(config, facts, presence, active, schema::LATEST);
    join::write_record(tree, &identity).await;
    if let Some(name) = &config.cluster.name {
        join::write_cluster_name(tree, name).await;
    }
    if config.logging.zookeeper
        && let Err(error) = node_log::recall(tree, &config.node, ring).await
    {
        tracing::warn!(%error, "the log of the last run cannot be read");
    }
    let mirror = Mirror::follow(tree, ClusterImage::ROOTS, ClusterImage::new());
    if let Some(view) = mirror.complete().await {
        let (nodes, vms) = (view.nodes.len(), view.vms.len());
        tracing::info!(mark = mark::OK, "the cluster has {nodes} nodes and {vms} VMs");
        for fault in view.faults.values() {
            tracing::warn!("{} cannot be understood: {}", fault.path, fault.why);
        }
    }
    (in_order, active, mirror)
}

/// Tasks that go on until everything else has ended: what they publish is about that, too.
struct Attendants {
    trigger: DrainTrigger,
    drain: Drain,
    tasks: Vec<JoinHandle<()>>,
}

impl Attendants {
    /// Publishes the log, if that is wanted, and the traffic of the network devices.
    fn begin<T: Tree>(config: &Config, tree: &T, health: &Health<T>, ring: Ring) -> Self {
        let (trigger, drain) = drain();
        let source = assembly::traffic_source(config);
        let every = config.intervals.keepalive;
        let traffic = traffic::run(tree.clone(), config.node.clone(), every, source, drain.clone());
        let mut tasks = vec![tokio::spawn(traffic)];
        if config.high_availability.ipmi.is_some() {
            let (power, bmc) = (assembly::power(config), assembly::own_bmc(config));
            let watch = bmc::watch(health.clone(), config.node.clone(), power, bmc, drain.clone());
            tasks.push(tokio::spawn(watch));
        }
        if config.logging.zookeeper {
            let log = NodeLog::new(tree.clone(), &config.node);
            tasks.push(tokio::spawn(publish(ring, log, drain.clone())));
        }
        Self { trigger, drain, tasks }
    }

    /// Tries on to configure this node's networks.
    fn mend_networks(&mut self, config: &Config, links: Netlink) {
        let Some(networks) = ready::own_networks(config).cloned() else { return };
        let drain = self.drain.clone();
        self.tasks.push(tokio::spawn(async move {
            ready::mend_networks(&links, &ProcSys::default(), &networks, drain).await;
        }));
    }

    /// Shows what one part knows to another that was there before it, for good.
    fn pass_on<V: Clone + Send + Sync + 'static>(
        &self,
        mut from: watch::Receiver<V>,
        to: watch::Sender<V>,
    ) {
        tokio::spawn(async move {
            loop {
                let now = from.borrow_and_update().clone();
                to.send_replace(now);
                if from.changed().await.is_err() {
                    return;
                }
            }
        });
    }

    /// Lets them publish what is last.
    async fn end(self) {
        self.trigger.drain();
        let deadline = Instant::now() + LAST_WORDS_LIMIT;
        for task in self.tasks {
            if timeout_at(deadline, task).await.is_err() {
                tracing::debug!("the last figures or lines of the log were not published");
            }
        }
    }
}
