//! A node's promise to end in time when nobody hears it, and how it is kept.
//!
//! The node publishes a lease: a length, and the voters by whom it wants to be heard. It counts
//! from the latest moment `s` such that at least half of the voters have received a probe that
//! was sent at `s` or later, which their answers tell. Whoever wants to rely on the end of the
//! lease needs more than half of the same voters to have heard nothing since: half and more than
//! half share a voter, and what it received last was sent no later than it came. So the promise
//! holds although no two clocks are compared; only their rates have to agree. (Were more than half
//! asked of the node, too, the death of one of three would end both others.)
//!
//! ```text
//!  node      s ──────────── window ──── device's time-out ───▶ ended
//!  voter        r (received, r >= s) ─── length + margin ───────▶ may be relied upon
//! ```
//!
//! While a change of the voters is being published, both the old and the new ones must hear the
//! node: nobody knows which of them is read.
//!
//! What ends a promise is the commit of a write that withdraws it. A node that learns of that
//! commit lives, so its time has not run out, and nobody can have relied on it yet; whoever
//! relies on it later states the lease's version, and is refused. So a node that can write need
//! not end itself because it is not heard: [`aim()`] says when it takes its promise back.

mod aim;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_common::model::FenceLease;
use pvc_common::state::LeaseKind;

pub use aim::{Outlook, To, aim};

/// How far the rates of two clocks may differ, as a part of the lease: one in fifty is more than
/// a hundred times what an ordinary quartz does.
const RATE: u32 = 50;

/// For timers that come late, on top.
const SLACK: Duration = Duration::from_millis(150);

/// How long after the last sign of life a lease can be relied upon to have ended.
#[must_use]
pub fn safe_after(lease: &FenceLease) -> Duration {
    let length = Duration::from_millis(lease.ms);
    length + length / RATE + SLACK
}

/// The latest moment since which at least half of the voters have received something.
///
/// `acked` holds, by voter, the latest moment at which something was sent that it has answered.
/// Without voters nobody has to hear the node.
#[must_use]
pub fn heard_by_most(
    voters: &BTreeSet<NodeName>,
    acked: &BTreeMap<NodeName, Instant>,
) -> Option<Instant> {
    let mut moments: Vec<Instant> =
        voters.iter().filter_map(|voter| acked.get(voter)).copied().collect();
    moments.sort_unstable_by(|a, b| b.cmp(a));
    moments.get(voters.len().checked_sub(1)? / 2).copied()
}

/// How a node keeps its promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Who keeps it.
    pub kind: LeaseKind,
    /// A device is fed only while the node was heard so recently.
    pub window: Duration,
    /// The device's time-out, or how long the daemon waits before it switches the host off.
    pub patience: Duration,
}

impl Terms {
    /// The length of the lease that can be promised on these terms.
    #[must_use]
    pub fn length(&self) -> Duration {
        match self.kind {
            LeaseKind::Device => self.window + self.patience,
            // It looks once a window, and the switch takes effect within another.
            LeaseKind::Suicide => self.patience + 2 * self.window,
        }
    }
}

/// Everything a decision about the promise reads.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// How it is kept.
    pub terms: Terms,
    /// Every set of voters that anybody could hold against the node.
    pub voters: &'a [BTreeSet<NodeName>],
    /// By voter, the latest moment at which a probe was sent that it has answered.
    pub acked: &'a BTreeMap<NodeName, Instant>,
    /// When this daemon began to ask to be heard: from then on it counts by itself, without a
    /// device, until it has been.
    pub since: Instant,
    /// This node's monotonic time.
    pub now: Instant,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The node is heard: feed the device, if there is one.
    Feed,
    /// It is not heard, and its time is running.
    Wait,
    /// Its time is up: the daemon switches the host off.
    PowerOff,
}

/// Decides whether the node may live on.
#[must_use]
pub fn decide(s: &Situation<'_>) -> Act {
    let sets = s.voters.iter().filter(|voters| !voters.is_empty());
    let heard = sets.map(|voters| heard_by_most(voters, s.acked)).min();
    let heard = match (heard, s.terms.kind) {
        (None, _) => return Act::Feed,
        (Some(Some(heard)), _) => heard,
        // A former daemon of this boot may have made the promise, and its time may be running.
        (Some(None), LeaseKind::Device) => return Act::Wait,
        (Some(None), LeaseKind::Suicide) => s.since,
    };
    let silent = s.now.saturating_duration_since(heard);
    match s.terms.kind {
        _ if silent <= s.terms.window => Act::Feed,
        LeaseKind::Suicide if silent >= s.terms.patience => Act::PowerOff,
        LeaseKind::Suicide | LeaseKind::Device => Act::Wait,
    }
}
