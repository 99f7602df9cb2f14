//! The uptime mesh: this node answers probes and sends its own, in every network it is in.
//!
//! It is the first thing of a daemon that lives and the last that ends, and it needs no
//! ZooKeeper: whom to probe it remembers from before (in a file), until the tree tells.
//!
//! ```text
//!  peers ──probe──▶ responder ─┐
//!                              ├─▶ Ear (the detector) ──▶ Heard ──▶ accuser, lease, hears
//!  peers ──answer─▶ prober ────┘
//! ```

mod accuse;
mod ear;
mod hears;
mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_host::{Prober, Responder, Wire, WireError};
use pvc_plan::mesh::Pace;
use pvc_runtime::drain::Drain;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::Instrument;

pub use accuse::{accuse, accused_before};
pub use ear::Ear;
pub use hears::publish;
pub use peers::{Peers, follow};

/// A network of the mesh as this node is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// What it is called.
    pub network: &'static str,
    /// This node's address in it.
    pub address: IpAddr,
}

/// How this node takes part.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This node.
    pub node: NodeName,
    /// The UDP port on which it answers, in each network.
    pub port: u16,
    /// Its networks.
    pub networks: Vec<Port>,
    /// How impatient it is.
    pub pace: Pace,
}

impl Settings {
    /// Where this node answers.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.networks.iter().map(|port| SocketAddr::new(port.address, self.port)).collect()
    }
}

/// What was heard by the last round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Who is suspected, and how long each has been silent.
    pub suspects: BTreeMap<NodeName, Duration>,
    /// By peer, the latest moment at which a probe was sent that it has answered.
    pub acked: BTreeMap<NodeName, Instant>,
    /// The rounds so far.
    pub rounds: u64,
}

/// The time by which the mesh reckons: tokio's, which tests can pass quickly.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Writes a small file whole or not at all.
pub(crate) async fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    tokio::fs::write(&beside, text).await?;
    tokio::fs::rename(&beside, file).await
}

/// How long after its address was missing a socket is tried again: the address may come with
/// the networks of this node.
const AGAIN: Duration = Duration::from_millis(500);

/// Two sockets in one network: for answering and for probing.
pub type Pair<W> = (W, W);

/// Takes part in the mesh until drained. `bind` opens the sockets of an address.
pub async fn run<W, F, B>(
    settings: Settings,
    ear: Arc<Ear>,
    bind: B,
    heard: watch::Sender<Heard>,
    drain: Drain,
) where
    W: Wire,
    F: Future<Output = Result<Pair<W>, WireError>> + Send + 'static,
    B: Fn(SocketAddr) -> F + Clone + Send + Sync + 'static,
{
    let mut tasks = JoinSet::new();
    for (index, address) in settings.addresses().into_iter().enumerate() {
        let (ear, bind) = (Arc::clone(&ear), bind.clone());
        let network = settings.networks[index].network;
        let span = tracing::info_span!("mesh", network);
        tasks.spawn(attend(ear, index, network, address, bind).instrument(span));
    }
    let rounds = rounds(settings.pace.every, Arc::clone(&ear), heard);
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("mesh")) => {}
    }
}

/// Answers and hears in one network, for good.
async fn attend<W, F, B>(
    ear: Arc<Ear>,
    index: usize,
    network: &'static str,
    address: SocketAddr,
    bind: B,
) where
    W: Wire,
    F: Future<Output = Result<Pair<W>, WireError>> + Send,
    B: Fn(SocketAddr) -> F + Send,
{
    let mut told = false;
    loop {
        let (responder, prober) = match bind(address).await {
            Ok(pair) => pair,
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "no probes in the {network} network yet; trying on");
                }
                sleep(AGAIN).await;
                continue;
            }
        };
        tracing::info!("answering probes in the {network} network at {address}");
        let prober = Arc::new(Prober::new(prober));
        let admits = {
            let ear = Arc::clone(&ear);
            move |from: SocketAddr| ear.asked(from.ip(), now())
        };
        let rounds = probe(Arc::clone(&ear), index, Arc::clone(&prober));
        let broken = tokio::select! {
            broken = Responder::run(responder, admits) => broken,
            broken = listen(&ear, index, &prober) => broken,
            () = rounds => return,
        };
        tracing::warn!(error = %broken, "probes in the {network} network broke off; trying on");
        told = false;
        sleep(AGAIN).await;
    }
}

/// Sends the probes of each round in one network.
async fn probe<W: Wire>(ear: Arc<Ear>, index: usize, prober: Arc<Prober<W>>) {
    let mut rounds = ear.rounds();
    loop {
        for (peer, to) in ear.targets(index) {
            let token = uuid::Uuid::new_v4().into_bytes();
            ear.sent(index, &peer, token, now());
            // What does not leave this machine is a probe that is lost.
            if let Err(error) = prober.probe(to, token).await {
                tracing::trace!(%error, "a probe of {peer} is lost");
            }
        }
        if rounds.changed().await.is_err() {
            return;
        }
    }
}

async fn listen<W: Wire>(ear: &Ear, index: usize, prober: &Prober<W>) -> WireError {
    loop {
        match prober.answers().await {
            Ok((_, token)) => ear.answered(index, token, now()),
            Err(broken) => return broken,
        }
    }
}

/// Begins a round at each tick, and shows what the last one has brought.
async fn rounds(every: Duration, ear: Arc<Ear>, heard: watch::Sender<Heard>) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = BTreeSet::new();
    loop {
        ticks.tick().await;
        let now_heard = ear.round(now());
        let suspects: BTreeSet<NodeName> = now_heard.suspects.keys().cloned().collect();
        for peer in suspects.difference(&before) {
            let silent_ms = now_heard.suspects[peer].as_millis();
            tracing::warn!(node.name = %peer, silent_ms, "{peer} does not answer probes");
        }
        for peer in before.difference(&suspects) {
            tracing::info!(node.name = %peer, "{peer} is heard again, or no longer observed");
        }
        before = suspects;
        heard.send_replace(now_heard);
    }
}
