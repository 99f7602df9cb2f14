//! By whom a node wants to be heard now, and when it promises nothing.
//!
//! A promise is worth a reset only where somebody could act on it. So there is none while nobody
//! is condemned, none of which fewer than two would be witnesses, and none before it can be kept;
//! and what is not heard any more is taken back while ZooKeeper still takes that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_common::state::DaemonState;
use pvc_common::view::View;
use pvc_common::zk::Seen;

use super::heard_by_most;

/// After which part of its patience a node that is not heard takes its promise back: a short
/// disturbance costs no write, and most of the time is left for the write.
const PART: u32 = 3;

/// With fewer voters nothing is promised: of two nodes that serve one is never condemned, for half
/// of them would be silent.
const LEAST_VOTERS: usize = 2;

/// To whom a node promises to end unless they hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// It promises nothing.
    Nobody,
    /// More than one of its observers.
    Voters(BTreeSet<NodeName>),
    /// ZooKeeper, which answers its keepalives: it takes no part in the mesh.
    ZooKeeper,
}

impl To {
    /// Whose answers [`super::Situation`] counts for such a promise: an answered keepalive stands
    /// under the name of the node itself.
    #[must_use]
    pub fn voters(&self, me: &NodeName) -> BTreeSet<NodeName> {
        match self {
            Self::Nobody => BTreeSet::new(),
            Self::Voters(voters) => voters.clone(),
            Self::ZooKeeper => BTreeSet::from([me.clone()]),
        }
    }
}

/// What that is decided from.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// This node.
    pub me: &'a NodeName,
    /// The tree; nothing before it was read.
    pub view: Option<&'a View>,
    /// Whether the session is known to be alive.
    pub live: bool,
    /// Whether nodes are fenced for their silence at all.
    pub fencing: bool,
    /// Who observes this node, if it takes part in the mesh.
    pub observers: Option<&'a BTreeSet<NodeName>>,
    /// By observer, the latest moment at which a probe was sent that it has answered.
    pub acked: &'a BTreeMap<NodeName, Instant>,
    /// How recent that has to be.
    pub window: Duration,
    /// How long whatever keeps the promise waits; nothing if there is none.
    pub patience: Option<Duration>,
    /// Whether anything may be promised: false once it is known that nothing is.
    pub promised: bool,
    /// Since when this daemon has found, each time that it looked, that the node is not heard by
    /// those to whom something may be promised.
    pub unheard: Option<Instant>,
    /// This node's monotonic time.
    pub now: Instant,
}

/// To whom the node should promise now; `None`: what is promised stays.
#[must_use]
pub fn aim(s: &Outlook<'_>) -> Option<To> {
    // The voters change only by what is known to be so, and only a live session can write.
    let view = s.view.filter(|_| s.live)?;
    let own = view.nodes.get(s.me);
    if own.is_some_and(|own| own.liveness.fence != Seen::Absent) {
        // Others may be waiting for the end of this very promise.
        return None;
    }
    let maintenance = view.cluster.maintenance.get().is_some_and(|text| text == "true");
    let Some(patience) = s.patience.filter(|_| s.fencing && !maintenance) else {
        return Some(To::Nobody);
    };
    let Some(observers) = s.observers else { return Some(To::ZooKeeper) };
    let serves = |name: &&NodeName| {
        view.nodes.get(*name).and_then(|node| node.daemon_state.copied()) == Some(DaemonState::Run)
    };
    let voters: BTreeSet<NodeName> = observers.iter().filter(serves).cloned().collect();
    if voters.len() < LEAST_VOTERS {
        return Some(To::Nobody);
    }
    let silent = s.unheard.map(|since| s.now.saturating_duration_since(since));
    if s.promised && silent.is_some_and(|silent| silent >= patience / PART) {
        return Some(To::Nobody);
    }
    let heard = heard_by_most(&voters, s.acked);
    match heard.map(|at| s.now.saturating_duration_since(at)) {
        Some(silent) if silent <= s.window => Some(To::Voters(voters)),
        // It waits a little before it writes that.
        Some(_) | None if s.promised => None,
        Some(_) | None => Some(To::Nobody),
    }
}
