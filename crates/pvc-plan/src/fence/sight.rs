//! What one coordinator has seen, and when it saw it by its own clock.
//!
//! Everything here may be lost at any moment: then the coordinator has just seen it, and waits
//! the longer. What it cannot have seen, because it was cut off or asleep, counts as just seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pvc_common::id::{FenceId, NodeName};
use pvc_common::model::Node;
use pvc_common::state::{DaemonState, OsdLoss};
use pvc_common::view::View;
use pvc_common::zk::Expected;

use super::agree::{Agreement, Doubts, accuses};

/// A coordinator that looked so long ago was asleep.
const ASLEEP: Duration = Duration::from_secs(2);

/// A fence that stands still for so long is taken over although its author seems to live. Longer
/// than any pause between two attempts at a proof.
const STUCK: Duration = Duration::from_secs(60);

/// How long after its ZooKeeper a node's daemon may take to tell of its boot.
const COMES_BACK: Duration = Duration::from_secs(10);

/// How much later each further coordinator takes a fence over.
const APART: Duration = Duration::from_secs(10);

/// What was seen of one node.
#[derive(Clone, Debug)]
struct Watched {
    keepalive: (Expected, Instant),
    /// Whether it has given a sign of life since it was first seen.
    lived: bool,
    /// The daemon's state: who writes that it comes up is alive, too.
    state: Expected,
    /// By observer: which suspicion, and when the node was last alive for it, at the latest.
    suspicions: BTreeMap<NodeName, (u64, Instant)>,
    /// Since when most have agreed without a keepalive in between.
    agreed: Option<Instant>,
    fence: (Expected, Instant),
    /// When the fence under way was found to have begun before this coordinator looked.
    inherited: Option<Instant>,
    /// The keepalive as it was when the fence under way was first seen.
    keepalive_then: Expected,
}

/// What one coordinator has seen.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    nodes: BTreeMap<NodeName, Watched>,
    agreement: Agreement,
    looked: Option<Instant>,
    live: bool,
    /// When the session was last known to be alive.
    live_at: Option<Instant>,
    /// Which promise each node makes, and when that was first seen. A session that ends takes
    /// nothing away from that.
    leases: BTreeMap<NodeName, (Expected, Instant)>,
    /// When fences of which nodes appeared.
    begun: Vec<(NodeName, Instant)>,
    /// How often in a row settling a node's VMs was refused.
    stumbled: BTreeMap<NodeName, usize>,
    /// As what the OSDs of a node are counted, by which fence, as far as this coordinator said so.
    marked: BTreeMap<NodeName, (FenceId, OsdLoss)>,
}

impl Sight {
    /// Takes in a view, as `me`, which does not suspect those that it `hears`, whatever it may have
    /// said of them in the tree. To be called with every view, and at least once a second; `live`
    /// says whether the session with ZooKeeper is known to be alive.
    pub fn look(
        &mut self,
        me: &NodeName,
        hears: &BTreeSet<NodeName>,
        view: &View,
        live: bool,
        now: Instant,
    ) {
        let asleep = self.looked.is_none_or(|at| now.saturating_duration_since(at) > ASLEEP);
        self.looked = Some(now);
        self.live = live;
        let away = self.live_at.is_none_or(|at| now.saturating_duration_since(at) > COMES_BACK);
        if live {
            self.live_at = Some(now);
        }
        if asleep || !live {
            self.nodes.clear();
        }
        self.nodes.retain(|name, _| view.nodes.contains_key(name));
        self.leases.retain(|name, _| view.nodes.contains_key(name));
        self.marked.retain(|name, _| view.nodes.contains_key(name));
        let silent = self.silent(me, view);
        self.agreement = Agreement::of(view, &Doubts { silent, me, hears });
        for (name, node) in &view.nodes {
            let lease = node.liveness.lease.expected();
            let seen = self.leases.entry(name.clone()).or_insert((lease, now));
            if seen.0 != lease {
                *seen = (lease, now);
            }
            let known = self.nodes.contains_key(name);
            let watched =
                self.nodes.entry(name.clone()).or_insert_with(|| Watched::new(node, away, now));
            if watched.look(node, self.agreement.is_accused(name), now) && known {
                self.begun.push((name.clone(), now));
            }
        }
    }

    /// Who may be dead, and its suspicions left from before: ZooKeeper keeps those of a dead node
    /// for as long as its session, and longer when it had lost its own quorum meanwhile.
    fn silent(&self, me: &NodeName, view: &View) -> BTreeSet<NodeName> {
        let lived = |name| self.nodes.get(name).is_some_and(|watched| watched.lived);
        let silent = view.nodes.iter().filter(|(name, node)| accuses(node, me) && !lived(name));
        silent.map(|(name, _)| name.clone()).collect()
    }

    /// Whether the session was known to be alive at the last look: without one the view may be of
    /// long ago.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// What most agree on, as of the last look.
    #[must_use]
    pub const fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Since when most have suspected a node without a sign of life in between.
    #[must_use]
    pub fn agreed_since(&self, node: &NodeName) -> Option<Instant> {
        self.nodes.get(node)?.agreed
    }

    /// When the node's keepalive was last seen to change.
    #[must_use]
    pub fn keepalive_changed(&self, node: &NodeName) -> Option<Instant> {
        Some(self.nodes.get(node)?.keepalive.1)
    }

    /// Whether the node has written a keepalive since its fence was first seen.
    pub(super) fn has_written_since_fence(&self, node: &NodeName) -> bool {
        self.nodes.get(node).is_some_and(|watched| watched.keepalive.0 != watched.keepalive_then)
    }

    /// The latest moment at which `observer`, which suspects `node`, can have heard it.
    #[must_use]
    pub(super) fn heard_at_most(&self, node: &NodeName, observer: &NodeName) -> Option<Instant> {
        Some(self.nodes.get(node)?.suspicions.get(observer)?.1)
    }

    /// When the promise that the node makes now was first seen: it may be as young as that.
    pub(super) fn lease_seen(&self, node: &NodeName) -> Option<Instant> {
        self.leases.get(node).map(|(_, at)| *at)
    }

    /// From when on the power of a condemned node may be cut.
    ///
    /// A fence that was found after a long absence may be of long ago: the ensemble had no quorum
    /// meanwhile, and this very node may have brought it back by booting again. It is given the
    /// time to say so, or the cluster would switch off what it has just got its quorum from.
    #[must_use]
    pub(super) fn cuts_from(&self, node: &NodeName) -> Option<Instant> {
        Some(self.nodes.get(node)?.inherited? + COMES_BACK)
    }

    /// When the fence of `node` counts as standing still for the coordinator of this rank.
    pub(super) fn stuck_at(&self, node: &NodeName, rank: usize) -> Option<Instant> {
        let rank = u32::try_from(rank).unwrap_or(u32::MAX);
        Some(self.nodes.get(node)?.fence.1 + STUCK + APART.saturating_mul(rank))
    }

    /// Of which nodes fences began within this time.
    pub(super) fn begun_within(&self, window: Duration, now: Instant) -> BTreeSet<NodeName> {
        let late = self.begun.iter().filter(|(_, at)| now.saturating_duration_since(*at) < window);
        late.map(|(node, _)| node.clone()).collect()
    }

    /// Notes how an attempt to settle VMs of `node` ended.
    pub fn settled(&mut self, node: &NodeName, done: bool) {
        if done {
            self.stumbled.remove(node);
        } else {
            *self.stumbled.entry(node.clone()).or_default() += 1;
        }
    }

    pub(super) fn stumbled(&self, node: &NodeName) -> usize {
        self.stumbled.get(node).copied().unwrap_or_default()
    }

    /// Notes that the OSDs of `node` are being counted as lost.
    pub fn mark(&mut self, node: &NodeName, fence: FenceId, loss: OsdLoss) {
        self.marked.insert(node.clone(), (fence, loss));
    }

    pub(super) fn marked(&self, node: &NodeName, fence: &FenceId) -> Option<OsdLoss> {
        self.marked.get(node).filter(|(by, _)| by == fence).map(|(_, loss)| *loss)
    }

    /// Forgets what is too old to matter.
    pub fn prune(&mut self, window: Duration, now: Instant) {
        self.begun.retain(|(_, at)| now.saturating_duration_since(*at) < window);
    }
}

impl Watched {
    /// `away` says whether this coordinator had not looked for long.
    fn new(node: &Node, away: bool, now: Instant) -> Self {
        let fenced = node.liveness.fence.expected() != Expected::Absent;
        Self {
            keepalive: (node.keepalive.expected(), now),
            lived: false,
            state: node.daemon_state.expected(),
            suspicions: BTreeMap::new(),
            agreed: None,
            fence: (node.liveness.fence.expected(), now),
            inherited: (away && fenced).then_some(now),
            keepalive_then: node.keepalive.expected(),
        }
    }

    /// Whether a fence has appeared.
    fn look(&mut self, node: &Node, accused: bool, now: Instant) -> bool {
        let keepalive = node.keepalive.expected();
        let alive = keepalive != self.keepalive.0;
        let state = node.daemon_state.expected();
        let comes_up = state != self.state && node.daemon_state.copied() == Some(DaemonState::Init);
        self.state = state;
        if alive || comes_up {
            self.keepalive = (keepalive, now);
            self.lived = true;
        }
        let suspicions = &node.liveness.suspicions;
        self.suspicions.retain(|observer, _| suspicions.contains_key(observer));
        for (observer, suspected) in suspicions {
            let Some(suspicion) = suspected.by.get() else { continue };
            let known = self.suspicions.get(observer).is_some_and(|(n, _)| *n == suspicion.number);
            if !known {
                let silent = Duration::from_millis(suspicion.silent_ms);
                let heard = now.checked_sub(silent).unwrap_or(now);
                self.suspicions.insert(observer.clone(), (suspicion.number, heard));
            }
        }
        self.agreed = match (accused, alive) {
            (false, _) => None,
            (true, true) => Some(now),
            (true, false) => self.agreed.or(Some(now)),
        };
        let fence = node.liveness.fence.expected();
        let begun = self.fence.0 == Expected::Absent && fence != Expected::Absent;
        if fence == Expected::Absent {
            self.inherited = None;
        }
        if begun {
            self.keepalive_then = node.keepalive.expected();
        }
        if fence != self.fence.0 {
            self.fence = (fence, now);
        }
        begun
    }
}
