//! The failure detector of one observer: who answers, who has fallen silent.
//!
//! Every round the observer sends each peer a probe on each network; an answer says that the
//! peer was alive when it came, and that it had received the probe. Silence is measured on the
//! observer's own monotonic clock.
//!
//! A probe that comes from a peer is a sign of life, too. Answering it prolongs the peer's lease
//! ([`crate::lease`]), so an observer that accuses a peer does not answer it until its accusation
//! is out of the tree: what the tree says of its silence then stays true.
//!
//! An observer may be ill itself (Lifeguard, Dadgar et al., 2018): when its own rounds come late,
//! the time it slept is nobody's silence, and for a while it waits longer before it accuses; when
//! it hears almost nobody, it is more likely cut off than everybody else dead.

mod observers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;

pub use observers::{FIXED, observed_by, observers};

/// How impatient an observer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Time between two rounds of probes.
    pub every: Duration,
    /// A peer is suspected after so much silence on all networks.
    pub suspect_after: Duration,
}

/// The worst that an observer thinks of itself: it then waits five times as long.
const WORST: u32 = 4;

/// How many rounds in time make up for one that was late.
const ROUNDS_TO_RECOVER: u32 = 15;

/// How many times as long one waits that hears fewer than a quarter of its peers.
const DEAF: u32 = 3;

/// What is known of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Peer {
    /// When it was last heard, moved on by what the observer itself slept.
    heard: Instant,
}

/// What one observer knows of its peers.
#[derive(Clone, Debug)]
pub struct Detector {
    pace: Pace,
    peers: BTreeMap<NodeName, Peer>,
    acked: BTreeMap<NodeName, Instant>,
    accused: BTreeSet<NodeName>,
    round: Option<Instant>,
    /// How ill the observer takes itself to be: 0 is well.
    illness: u32,
    in_time: u32,
}

impl Detector {
    /// Knows nobody yet.
    #[must_use]
    pub const fn new(pace: Pace) -> Self {
        Self {
            pace,
            peers: BTreeMap::new(),
            acked: BTreeMap::new(),
            accused: BTreeSet::new(),
            round: None,
            illness: 0,
            in_time: 0,
        }
    }

    /// Whom to observe from now on; one that is new counts as just heard.
    pub fn observe(&mut self, peers: &BTreeSet<NodeName>, now: Instant) {
        self.peers.retain(|peer, _| peers.contains(peer));
        self.acked.retain(|peer, _| peers.contains(peer));
        for peer in peers {
            if !self.peers.contains_key(peer) {
                self.peers.insert(peer.clone(), Peer { heard: now });
            }
        }
    }

    /// Whom it observes.
    pub fn peers(&self) -> impl Iterator<Item = &NodeName> {
        self.peers.keys()
    }

    /// A round begins. To be called before its probes are sent.
    pub fn tick(&mut self, now: Instant) {
        let late = self
            .round
            .map_or(Duration::ZERO, |round| now.saturating_duration_since(round + self.pace.every));
        self.round = Some(now);
        if late <= self.pace.every {
            self.in_time += 1;
            if self.in_time >= ROUNDS_TO_RECOVER {
                self.in_time = 0;
                self.illness = self.illness.saturating_sub(1);
            }
            return;
        }
        self.in_time = 0;
        self.illness = (self.illness + 1).min(WORST);
        // Nobody was asked in that time, so nobody failed to answer.
        for peer in self.peers.values_mut() {
            peer.heard = (peer.heard + late).min(now);
        }
    }

    /// A peer answered a probe that was sent at `sent`.
    pub fn heard(&mut self, peer: &NodeName, sent: Instant, now: Instant) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        known.heard = now;
        let acked = self.acked.entry(peer.clone()).or_insert(sent);
        *acked = sent.max(*acked);
    }

    /// A probe of a peer came; whether it is to be answered.
    pub fn asked(&mut self, peer: &NodeName, now: Instant) -> bool {
        if let Some(known) = self.peers.get_mut(peer) {
            known.heard = now;
        }
        !self.accused.contains(peer)
    }

    /// From now on an accusation of the peer may be in the tree. To be called before it is written.
    pub fn accuse(&mut self, peer: &NodeName) {
        self.accused.insert(peer.clone());
    }

    /// No accusation of the peer is in the tree any more.
    pub fn acquit(&mut self, peer: &NodeName) {
        self.accused.remove(peer);
    }

    /// Whom it accuses.
    #[must_use]
    pub const fn accused(&self) -> &BTreeSet<NodeName> {
        &self.accused
    }

    /// Who is suspected now, and how long each has been silent.
    #[must_use]
    pub fn suspects(&self, now: Instant) -> BTreeMap<NodeName, Duration> {
        let patience = self.patience(now);
        self.silences(now).filter(|(_, silent)| *silent >= patience).collect()
    }

    /// How long each peer has been silent.
    pub fn silences(&self, now: Instant) -> impl Iterator<Item = (NodeName, Duration)> {
        self.peers
            .iter()
            .map(move |(name, peer)| (name.clone(), now.saturating_duration_since(peer.heard)))
    }

    /// The latest moment at which a probe was sent that each peer has answered.
    #[must_use]
    pub const fn acked(&self) -> &BTreeMap<NodeName, Instant> {
        &self.acked
    }

    /// After how much silence a peer is suspected now.
    #[must_use]
    pub fn patience(&self, now: Instant) -> Duration {
        let usual = self.pace.suspect_after;
        let fresh = |peer: &&Peer| now.saturating_duration_since(peer.heard) < usual;
        let heard = self.peers.values().filter(fresh).count();
        let deaf = self.peers.len() > 1 && heard * 4 < self.peers.len();
        usual * (1 + self.illness) * if deaf { DEAF } else { 1 }
    }
}
