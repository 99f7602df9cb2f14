//! What this node hears: the detector, with the addresses and probes around it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_host::Token;
use pvc_plan::mesh::{Detector, Pace};
use tokio::sync::watch;

use super::Heard;

/// Probes of so many rounds are remembered: what is answered later says nothing new.
const REMEMBERED: u64 = 25;

/// What this node hears, shared by all that hear for it.
#[derive(Debug)]
pub struct Ear {
    inner: Mutex<Inner>,
    rounds: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    detector: Detector,
    /// Where each peer answers, one address for each network.
    peers: BTreeMap<NodeName, Vec<SocketAddr>>,
    /// Who has an address, of all nodes.
    owners: HashMap<IpAddr, NodeName>,
    /// Whose silence this node has to tell; it probes others for its lease's sake.
    observed: BTreeSet<NodeName>,
    /// Accusations of a former life may still be in the tree, and nobody knows of whom.
    forgetful: bool,
    probes: HashMap<Token, Probe>,
    lines: BTreeMap<(NodeName, usize), Line>,
    round: u64,
}

#[derive(Debug)]
struct Probe {
    peer: NodeName,
    network: usize,
    sent: Instant,
    round: u64,
}

/// What is known of the way to a peer through one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// When it last answered there.
    pub(super) heard: Instant,
    /// How long its last answer took.
    pub(super) round_trip: Duration,
}

impl Ear {
    /// Hears nobody yet. `accused` are those whom this node's former daemon accused; `None` if that
    /// is not known: then nobody is answered until the tree was searched for accusations.
    #[must_use]
    pub fn new(pace: Pace, accused: Option<&BTreeSet<NodeName>>) -> Self {
        let mut detector = Detector::new(pace);
        accused.into_iter().flatten().for_each(|peer| detector.accuse(peer));
        let inner = Inner {
            detector,
            peers: BTreeMap::new(),
            owners: HashMap::new(),
            observed: BTreeSet::new(),
            forgetful: accused.is_none(),
            probes: HashMap::new(),
            lines: BTreeMap::new(),
            round: 0,
        };
        Self { inner: Mutex::new(inner), rounds: watch::channel(0).0 }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to probe, whose silence to tell, and who has which address.
    pub fn attend_to(
        &self,
        peers: BTreeMap<NodeName, Vec<SocketAddr>>,
        observed: BTreeSet<NodeName>,
        owners: HashMap<IpAddr, NodeName>,
        now: Instant,
    ) {
        let mut inner = self.inner();
        let names = peers.keys().cloned().collect();
        inner.detector.observe(&names, now);
        inner.lines.retain(|(peer, _), _| peers.contains_key(peer));
        inner.peers = peers;
        inner.observed = observed;
        inner.owners = owners;
    }

    /// The rounds as they begin.
    pub(super) fn rounds(&self) -> watch::Receiver<u64> {
        self.rounds.subscribe()
    }

    /// Begins a round; what has been heard so far.
    pub(super) fn round(&self, now: Instant) -> Heard {
        let mut inner = self.inner();
        inner.detector.tick(now);
        inner.round += 1;
        let round = inner.round;
        inner.probes.retain(|_, probe| probe.round + REMEMBERED > round);
        let mut suspects = inner.detector.suspects(now);
        suspects.retain(|peer, _| inner.observed.contains(peer));
        let heard = Heard { suspects, acked: inner.detector.acked().clone(), rounds: round };
        drop(inner);
        self.rounds.send_replace(round);
        heard
    }

    /// Whom to probe in a network.
    pub(super) fn targets(&self, network: usize) -> Vec<(NodeName, SocketAddr)> {
        let inner = self.inner();
        let peers = inner.peers.iter();
        peers.filter_map(|(peer, at)| Some((peer.clone(), *at.get(network)?))).collect()
    }

    /// A probe is about to be sent.
    pub(super) fn sent(&self, network: usize, peer: &NodeName, token: Token, now: Instant) {
        let mut inner = self.inner();
        let round = inner.round;
        let probe = Probe { peer: peer.clone(), network, sent: now, round };
        inner.probes.insert(token, probe);
    }

    /// A probe was answered.
    pub(super) fn answered(&self, network: usize, token: Token, now: Instant) {
        let mut inner = self.inner();
        let Some(probe) = inner.probes.remove(&token).filter(|probe| probe.network == network)
        else {
            return;
        };
        let Probe { peer, sent, .. } = probe;
        inner.detector.heard(&peer, sent, now);
        let line = Line { heard: now, round_trip: now.saturating_duration_since(sent) };
        inner.lines.insert((peer, network), line);
    }

    /// A probe came from an address; whether it is to be answered.
    pub(super) fn asked(&self, from: IpAddr, now: Instant) -> bool {
        let mut inner = self.inner();
        match inner.owners.get(&from).cloned() {
            Some(peer) => inner.detector.asked(&peer, now) && !inner.forgetful,
            // After a boot no peer is known, and any may be accused.
            None => !inner.forgetful,
        }
    }

    /// From now on an accusation of `peer` may be in the tree.
    pub(super) fn accuse(&self, peer: &NodeName) {
        self.inner().detector.accuse(peer);
    }

    /// No accusation of `peer` is in the tree any more.
    pub(super) fn acquit(&self, peer: &NodeName) {
        self.inner().detector.acquit(peer);
    }

    /// The tree was searched: this node accuses nobody but whom it knows of.
    pub(super) fn remember(&self) {
        self.inner().forgetful = false;
    }

    /// Whom this node accuses.
    pub(super) fn accused(&self) -> BTreeSet<NodeName> {
        self.inner().detector.accused().clone()
    }

    /// Who is suspected at this very moment.
    pub(super) fn suspects(&self, now: Instant) -> BTreeMap<NodeName, Duration> {
        let inner = self.inner();
        let mut suspects = inner.detector.suspects(now);
        suspects.retain(|peer, _| inner.observed.contains(peer));
        suspects
    }

    /// Whom it observes and does not suspect at this very moment.
    pub(crate) fn hears(&self, now: Instant) -> BTreeSet<NodeName> {
        let inner = self.inner();
        let suspects = inner.detector.suspects(now);
        inner.observed.iter().filter(|peer| !suspects.contains_key(*peer)).cloned().collect()
    }

    /// The ways to all peers.
    pub(super) fn lines(&self) -> BTreeMap<NodeName, BTreeMap<usize, Line>> {
        let inner = self.inner();
        let mut lines: BTreeMap<NodeName, BTreeMap<usize, Line>> =
            inner.peers.keys().map(|peer| (peer.clone(), BTreeMap::new())).collect();
        for ((peer, network), line) in &inner.lines {
            lines.entry(peer.clone()).or_default().insert(*network, *line);
        }
        lines
    }
}
