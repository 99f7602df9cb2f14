//! This node's promise to end in time when nobody hears it: the shell around `pvc_plan::lease`.
//!
//! ```text
//!  armed ──▶ promise published ──▶ fed while heard by most ──▶ promise withdrawn ──▶ disarmed
//!                                        │ not heard
//!                                        ▼
//!                             the device resets the host, or the daemon switches it off
//! ```
//! Promised only what is armed already; disarmed only what is promised no more. What is promised
//! stands in a file, too, so that the next daemon of this boot keeps it before it has read the
//! tree, or while there is none to read. Opening a device feeds it, so that one does not even arm
//! its device before it has been heard: the time of the promise may be running.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_common::model::FenceLease;
use pvc_common::state::{DaemonState, LeaseKind, Word};
use pvc_common::view::View;
use pvc_common::zk::{Seen, key};
use pvc_host::{SelfPower, Watchdog};
use pvc_plan::lease::{Act, Situation, Terms, decide};
use pvc_plan::mesh::observers;
use pvc_runtime::drain::Drain;
use pvc_zk::{SubtreeError, Tree};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tracing::Instrument;

use crate::mesh;

/// How often it is looked whether the node is heard, and how recently it must have been.
const WINDOW: Duration = Duration::from_millis(600);
const EVERY: Duration = Duration::from_millis(200);

/// How often a device is asked for that another program holds, such as Patroni.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// How this node keeps its promise.
pub struct Settings<W, P> {
    /// This node.
    pub node: NodeName,
    /// The device and its time-out.
    pub watchdog: Option<(W, Duration)>,
    /// How long without being heard until the daemon switches the host off.
    pub suicide: Option<Duration>,
    /// How it does that.
    pub power: P,
    /// Whether it is heard by probes; otherwise by the answers to its keepalives.
    pub mesh: bool,
    /// What was promised, for the next daemon of this boot.
    pub file: PathBuf,
}

/// Where it learns who hears it.
pub struct Sources {
    /// By peer, the latest moment at which a probe was sent that it has answered.
    pub acked: watch::Receiver<BTreeMap<NodeName, Instant>>,
    /// When the last keepalive was sent that was answered.
    pub kept: watch::Receiver<Option<Instant>>,
    /// The cluster.
    pub views: watch::Receiver<Option<Arc<View>>>,
}

/// The terms of a device with this time-out.
const fn device_terms(patience: Duration) -> Terms {
    Terms { kind: LeaseKind::Device, window: WINDOW, patience }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What the former daemon of this boot promised: a set of voters in each line.
fn remembered(file: &std::path::Path) -> Vec<BTreeSet<NodeName>> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let voters = |line: &str| line.split(' ').filter_map(|name| name.parse().ok()).collect();
    text.lines().map(voters).filter(|voters: &BTreeSet<_>| !voters.is_empty()).collect()
}

/// Keeps the promise until drained; then withdraws it.
///
/// While it cannot be withdrawn, as without ZooKeeper, it is kept, and this does not end: the
/// daemon's last act is to drop it, so that the next daemon has the device's whole time to come.
pub async fn run<T: Tree, W: Watchdog, P: SelfPower>(
    tree: T,
    settings: Settings<W, P>,
    sources: Sources,
    drain: Drain,
) {
    let Some(mut guard) = Guard::new(tree, settings, sources) else { return };
    let span = tracing::info_span!("guard");
    let rounds = async {
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            guard.round().await;
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(span.clone()) => {}
    }
    guard.end().instrument(span).await;
}

fn ticks() -> Interval {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

struct Guard<T, W, P> {
    tree: T,
    settings: Settings<W, P>,
    sources: Sources,
    terms: Vec<Terms>,
    since: Instant,
    /// Whether this daemon has armed the device, if there is one that it can have.
    armed: bool,
    /// When to ask again for a device that another program holds.
    held: Option<Instant>,
    /// Every set of voters that may be read in the tree.
    voters: Vec<BTreeSet<NodeName>>,
    /// The set that is known to be there.
    published: Option<BTreeSet<NodeName>>,
    told: Act,
}

impl<T: Tree, W: Watchdog, P: SelfPower> Guard<T, W, P> {
    /// `None` where there is nothing to keep a promise with.
    fn new(tree: T, mut settings: Settings<W, P>, sources: Sources) -> Option<Self> {
        let mut terms = Vec::new();
        let voters = remembered(&settings.file);
        let (mut armed, mut held) = (false, None);
        if let Some((device, wanted)) = &mut settings.watchdog {
            let taken = if voters.is_empty() {
                armed = true;
                device.arm(*wanted)
            } else {
                tracing::info!(
                    "a former daemon's promise stands: the watchdog is armed when heard"
                );
                Ok(*wanted)
            };
            match taken {
                Ok(taken) => {
                    if armed {
                        tracing::info!(timeout_s = taken.as_secs(), "the watchdog is armed");
                    }
                    terms.push(device_terms(taken));
                }
                Err(error @ pvc_host::WatchdogError::Busy { .. }) => {
                    tracing::warn!(%error, "this node promises less until it can be had");
                    (armed, held) = (true, Some(now() + ASK_AGAIN));
                }
                Err(pvc_host::WatchdogError::Absent { .. }) => {
                    tracing::info!("this host has no watchdog");
                    settings.watchdog = None;
                }
                Err(error) => {
                    tracing::warn!(%error, "the watchdog of this host cannot be used");
                    settings.watchdog = None;
                }
            }
        }
        if let Some(patience) = settings.suicide {
            terms.push(Terms { kind: LeaseKind::Suicide, window: WINDOW, patience });
        }
        if terms.is_empty() && held.is_none() {
            return None;
        }
        let (since, told, published) = (now(), Act::Feed, None);
        let armed = armed || settings.watchdog.is_none();
        Some(Self { tree, settings, sources, terms, since, armed, held, voters, published, told })
    }

    /// Asks for a device that another program held. Once it is armed, it is what is promised.
    fn ask_again(&mut self) {
        let (Some(when), Some((device, wanted))) = (self.held, &mut self.settings.watchdog) else {
            return;
        };
        if when > now() {
            return;
        }
        match device.arm(*wanted) {
            Ok(taken) => {
                tracing::info!(timeout_s = taken.as_secs(), "the watchdog is free, and armed");
                self.terms.insert(0, device_terms(taken));
                (self.held, self.published) = (None, None);
            }
            Err(error) => {
                tracing::debug!(%error, "the watchdog is still held");
                self.held = Some(now() + ASK_AGAIN);
            }
        }
    }

    async fn round(&mut self) {
        self.ask_again();
        self.feed();
        let wanted = self.wanted();
        // Promised only what is armed already.
        if !self.armed || self.published.as_ref() == Some(&wanted) {
            return;
        }
        // From here on both may be read, until it is known which is there.
        if !self.voters.contains(&wanted) {
            self.voters.push(wanted.clone());
            self.write_down().await;
        }
        let publishing = publish(&self.tree, &self.settings.node, self.lease(&wanted));
        match timeout(EVERY, publishing).await {
            Ok(Ok(())) => {
                self.voters = vec![wanted.clone()];
                self.published = Some(wanted);
                self.write_down().await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "the lease is not published yet"),
            Err(_) => {}
        }
    }

    /// Feeds the device, or does what was promised.
    fn feed(&mut self) {
        let acked = if self.settings.mesh {
            self.sources.acked.borrow().clone()
        } else {
            let kept = *self.sources.kept.borrow();
            kept.map(|at| (self.settings.node.clone(), at)).into_iter().collect()
        };
        let own = [BTreeSet::from([self.settings.node.clone()])];
        let voters = if self.settings.mesh { &self.voters[..] } else { &own[..] };
        for terms in &mut self.terms {
            let situation =
                Situation { terms: *terms, voters, acked: &acked, since: self.since, now: now() };
            let act = decide(&situation);
            match (terms.kind, act) {
                (LeaseKind::Device, Act::Feed) => {
                    let Some((device, wanted)) = &mut self.settings.watchdog else { continue };
                    let fed = if self.armed {
                        device.feed()
                    } else {
                        device.arm(*wanted).map(|taken| {
                            tracing::info!(timeout_s = taken.as_secs(), "the watchdog is armed");
                            (terms.patience, self.armed) = (taken, true);
                        })
                    };
                    if let Err(error) = fed {
                        tracing::error!(%error, "the watchdog cannot be fed");
                    }
                }
                (LeaseKind::Suicide, Act::PowerOff) => {
                    let silent_s = terms.patience.as_secs();
                    tracing::error!(silent_s, "nobody hears this node: it switches itself off");
                    if let Err(error) = self.settings.power.cut() {
                        tracing::error!(%error, "this node cannot switch itself off");
                    }
                }
                (LeaseKind::Device, Act::Wait | Act::PowerOff)
                | (LeaseKind::Suicide, Act::Feed | Act::Wait) => {}
            }
            if act != self.told && (act == Act::Feed || self.told == Act::Feed) {
                match act {
                    Act::Feed => tracing::info!("this node is heard by most again"),
                    Act::Wait | Act::PowerOff => {
                        tracing::warn!("this node is not heard by most: its time is running");
                    }
                }
                self.told = act;
            }
        }
    }

    /// By whom this node wants to be heard: its observers that serve.
    fn wanted(&self) -> BTreeSet<NodeName> {
        if !self.settings.mesh {
            return BTreeSet::new();
        }
        let view = self.sources.views.borrow();
        let known = || self.published.as_ref().or(self.voters.last()).cloned().unwrap_or_default();
        let Some(view) = view.as_ref() else { return known() };
        // Others are still asked to hear it as long as the tree cannot be: the voters change
        // only by what is known to be so.
        if self.tree.session().borrow().live().is_none() {
            return known();
        }
        let names = view.nodes.iter().filter(|(_, node)| {
            node.liveness.presence.get().is_some_and(|presence| !presence.mesh.is_empty())
        });
        let names: BTreeSet<NodeName> = names.map(|(name, _)| name.clone()).collect();
        let serves = |name: &NodeName| {
            let node = view.nodes.get(name);
            node.and_then(|node| node.daemon_state.copied()) == Some(DaemonState::Run)
        };
        observers(&self.settings.node, &names).into_iter().filter(serves).collect()
    }

    async fn write_down(&self) {
        let line = |voters: &BTreeSet<NodeName>| {
            let names: Vec<&str> = voters.iter().map(NodeName::as_str).collect();
            format!("{}\n", names.join(" "))
        };
        let text: String = self.voters.iter().map(line).collect();
        if let Err(error) = mesh::write_whole(&self.settings.file, &text).await {
            tracing::warn!(%error, "what this node promises could not be written down");
        }
    }

    /// What is promised to these voters. Without anybody to hear it the node promises nothing,
    /// unless ZooKeeper is to hear it.
    fn lease(&self, voters: &BTreeSet<NodeName>) -> Option<FenceLease> {
        let terms = self.terms.first().filter(|_| !voters.is_empty() || !self.settings.mesh)?;
        Some(FenceLease {
            kind: terms.kind,
            ms: u64::try_from(terms.length().as_millis()).unwrap_or(u64::MAX),
            voters: voters.clone(),
        })
    }

    /// Withdraws the promise, feeding on until that has happened, then disarms.
    async fn end(mut self) {
        let withdrawal = withdraw(self.tree.clone(), self.settings.node.clone());
        tokio::pin!(withdrawal);
        let mut ticks = ticks();
        loop {
            tokio::select! {
                () = &mut withdrawal => break,
                _ = ticks.tick() => self.feed(),
            }
        }
        self.voters.clear();
        self.write_down().await;
        if self.held.is_none()
            && let Some((device, _)) = &mut self.settings.watchdog
            && let Err(error) = device.disarm()
        {
            tracing::warn!(%error, "the watchdog cannot be disarmed");
        }
    }
}

/// Returns once the tree holds no promise of this node.
async fn withdraw<T: Tree>(tree: T, node: NodeName) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        match publish(&tree, &node, None).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, "the lease is not withdrawn yet"),
        }
    }
}

/// Has the tree hold this promise.
async fn publish<T: Tree>(
    tree: &T,
    node: &NodeName,
    lease: Option<FenceLease>,
) -> Result<(), SubtreeError> {
    let key = key::node_lease(node);
    let entry = tree.get(key.path()).await?;
    let seen: Seen<Option<FenceLease>> =
        Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
    if seen.get() == Some(&lease) {
        return Ok(());
    }
    tree.commit(vec![key.put(&seen, &lease)]).await?;
    match &lease {
        Some(FenceLease { kind, ms, voters }) => tracing::info!(
            lease_ms = ms,
            voters = voters.len(),
            "this node promises to end when it is not heard ({})",
            kind.text()
        ),
        None => tracing::info!("this node promises nothing"),
    }
    Ok(())
}
