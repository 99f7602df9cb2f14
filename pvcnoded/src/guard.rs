//! This node's promise to end in time when nobody hears it: the shell around `pvc_plan::lease`.
//!
//! ```text
//!               heard by half             not heard, but it can write
//!  armed, fed ──────────────▶ promise published ──────────────▶ promise withdrawn: fed on
//!                                    │ not heard, and it cannot write
//!                                    ▼
//!                        the device resets the host, or the daemon switches it off
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
use pvc_common::state::{LeaseKind, Word};
use pvc_common::view::View;
use pvc_common::zk::{Seen, key};
use pvc_host::{SelfPower, Watchdog};
use pvc_plan::lease::{Act, Outlook, Situation, Terms, To, aim, decide};
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

/// How long a write of the promise is waited for, until it is tried anew.
const PUBLISH_LIMIT: Duration = Duration::from_secs(2);

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
    /// Whether nodes are fenced for their silence.
    pub fencing: bool,
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

/// What the former daemon of this boot promised: a set of voters in each line, none to ZooKeeper.
fn remembered(file: &std::path::Path, mesh: bool) -> Vec<To> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let voters = |line: &str| line.split(' ').filter_map(|name| name.parse().ok()).collect();
    if mesh {
        let sets = text.lines().map(voters).filter(|voters: &BTreeSet<_>| !voters.is_empty());
        sets.map(To::Voters).collect()
    } else {
        text.lines().next().map(|_| To::ZooKeeper).into_iter().collect()
    }
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
    /// Everything that may be read in the tree as this node's promise.
    may: Vec<To>,
    /// What is known to be there.
    published: Option<To>,
    /// Whether a write whose outcome nobody knows may still arrive.
    in_flight: bool,
    /// Since when each look has found the node unheard.
    unheard: Option<Instant>,
    told: Act,
}

impl<T: Tree, W: Watchdog, P: SelfPower> Guard<T, W, P> {
    /// `None` where there is nothing to keep a promise with.
    fn new(tree: T, mut settings: Settings<W, P>, sources: Sources) -> Option<Self> {
        let mut terms = Vec::new();
        let may = remembered(&settings.file, settings.mesh);
        let (mut armed, mut held) = (false, None);
        if let Some((device, wanted)) = &mut settings.watchdog {
            let taken = if may.is_empty() {
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
        let (unheard, in_flight) = (None, !may.is_empty());
        Some(Self {
            tree,
            settings,
            sources,
            terms,
            since,
            armed,
            held,
            may,
            published,
            in_flight,
            unheard,
            told,
        })
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
        let Some(aim) = self.aim() else { return };
        // Promised only what is armed already.
        let armed = self.armed || aim == To::Nobody;
        if !armed || self.published.as_ref() == Some(&aim) {
            return;
        }
        // From here on both may be read, until it is known which is there.
        self.published = None;
        if !self.may.contains(&aim) {
            self.may.push(aim.clone());
            self.write_down().await;
        }
        let anew = std::mem::replace(&mut self.in_flight, true);
        let (tree, node, lease) = (self.tree.clone(), self.settings.node.clone(), self.lease(&aim));
        let publishing = async move { publish(&tree, &node, lease, anew).await };
        let publishing = timeout(PUBLISH_LIMIT, publishing);
        match self.feeding(publishing).await {
            Ok(Ok(())) => {
                self.may = vec![aim.clone()];
                self.published = Some(aim);
                self.in_flight = false;
                self.write_down().await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "the lease is not published yet"),
            Err(_) => tracing::debug!("the lease is not published yet: ZooKeeper takes too long"),
        }
    }

    /// Keeps what may be promised while something is waited for.
    async fn feeding<F: Future>(&mut self, work: F) -> F::Output {
        tokio::pin!(work);
        let mut ticks = ticks();
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = ticks.tick() => self.feed(),
            }
        }
    }

    /// By voter, when what it has answered was sent. Without the mesh ZooKeeper answers for all.
    fn acked(&self) -> BTreeMap<NodeName, Instant> {
        if self.settings.mesh {
            return self.sources.acked.borrow().clone();
        }
        let kept = *self.sources.kept.borrow();
        kept.map(|at| (self.settings.node.clone(), at)).into_iter().collect()
    }

    /// Feeds the device, or does what was promised.
    fn feed(&mut self) {
        let acked = self.acked();
        let voters: Vec<_> = self.may.iter().map(|to| to.voters(&self.settings.node)).collect();
        let mut heard = true;
        for terms in &mut self.terms {
            let situation = Situation {
                terms: *terms,
                voters: &voters,
                acked: &acked,
                since: self.since,
                now: now(),
            };
            let act = decide(&situation);
            heard &= act == Act::Feed;
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
        self.unheard = if heard { None } else { self.unheard.or_else(|| Some(now())) };
    }

    /// To whom this node should promise now.
    fn aim(&self) -> Option<To> {
        let view = self.sources.views.borrow();
        let observers = view.as_ref().filter(|_| self.settings.mesh).map(|view| {
            let names = view.nodes.iter().filter(|(_, node)| {
                node.liveness.presence.get().is_some_and(|presence| !presence.mesh.is_empty())
            });
            let names: BTreeSet<NodeName> = names.map(|(name, _)| name.clone()).collect();
            observers(&self.settings.node, &names)
        });
        aim(&Outlook {
            me: &self.settings.node,
            view: view.as_deref(),
            live: self.tree.session().borrow().live().is_some(),
            fencing: self.settings.fencing,
            observers: observers.as_ref(),
            acked: &self.acked(),
            window: WINDOW,
            patience: self.terms.iter().map(|terms| terms.patience).min(),
            promised: self.may.iter().any(|to| *to != To::Nobody),
            unheard: self.unheard,
            now: now(),
        })
    }

    async fn write_down(&self) {
        let line = |to: &To| match to {
            To::Nobody => String::new(),
            To::ZooKeeper => "\n".to_owned(),
            To::Voters(voters) => {
                let names: Vec<&str> = voters.iter().map(NodeName::as_str).collect();
                format!("{}\n", names.join(" "))
            }
        };
        let text: String = self.may.iter().map(line).collect();
        if let Err(error) = mesh::write_whole(&self.settings.file, &text).await {
            tracing::warn!(%error, "what this node promises could not be written down");
        }
    }

    /// The promise as others read it.
    fn lease(&self, to: &To) -> Option<FenceLease> {
        let voters = match to {
            To::Nobody => return None,
            To::ZooKeeper => BTreeSet::new(),
            To::Voters(voters) => voters.clone(),
        };
        let terms = self.terms.first()?;
        let ms = u64::try_from(terms.length().as_millis()).unwrap_or(u64::MAX);
        Some(FenceLease { kind: terms.kind, ms, voters })
    }

    /// Withdraws the promise, feeding on until that has happened, then disarms.
    async fn end(mut self) {
        let (tree, node) = (self.tree.clone(), self.settings.node.clone());
        let withdrawal = withdraw(tree, node, self.in_flight);
        self.feeding(withdrawal).await;
        self.may.clear();
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
async fn withdraw<T: Tree>(tree: T, node: NodeName, mut in_flight: bool) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        match publish(&tree, &node, None, in_flight).await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, "the lease is not withdrawn yet"),
        }
        in_flight = true;
    }
}

/// Has the tree hold this promise. It is written although it is there, if an earlier write may be
/// in flight: that is refused then, for it was decided on an earlier version.
async fn publish<T: Tree>(
    tree: &T,
    node: &NodeName,
    lease: Option<FenceLease>,
    in_flight: bool,
) -> Result<(), SubtreeError> {
    let key = key::node_lease(node);
    let entry = tree.get(key.path()).await?;
    let seen: Seen<Option<FenceLease>> =
        Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
    if seen.get() == Some(&lease) && !in_flight {
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
