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

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_common::model::FenceLease;
use pvc_common::state::LeaseKind;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(names: &[&str]) -> BTreeSet<NodeName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    const DEVICE: Terms = Terms {
        kind: LeaseKind::Device,
        window: Duration::from_millis(600),
        patience: Duration::from_secs(3),
    };
    const SUICIDE: Terms = Terms {
        kind: LeaseKind::Suicide,
        window: Duration::from_millis(600),
        patience: Duration::from_secs(30),
    };

    /// What is done when voters acknowledged what was sent so many milliseconds ago.
    fn check(terms: Terms, voters: &[&[&str]], acked_ms_ago: &[(&str, u64)]) -> Act {
        #[expect(clippy::disallowed_methods, reason = "any instant will do to begin with")]
        let since = Instant::now();
        let now = since + Duration::from_secs(3_600);
        let ago = |ms| now - Duration::from_millis(ms);
        let acked = acked_ms_ago.iter().map(|(n, ms)| (n.parse().unwrap(), ago(*ms))).collect();
        let voters: Vec<_> = voters.iter().map(|names| nodes(names)).collect();
        decide(&Situation { terms, voters: &voters, acked: &acked, since, now })
    }

    #[test]
    fn the_device_is_fed_while_half_or_more_hear_the_node() {
        let voters: &[&[&str]] = &[&["hv2", "hv3", "hv4", "hv5"]];
        let three = [("hv2", 100), ("hv3", 100), ("hv4", 500), ("hv5", 90_000)];
        assert_eq!(check(DEVICE, voters, &three), Act::Feed);
        let half = [("hv2", 100), ("hv3", 100), ("hv4", 700), ("hv5", 90_000)];
        assert_eq!(check(DEVICE, voters, &half), Act::Feed);
        let fewer = [("hv2", 100), ("hv3", 700), ("hv4", 700), ("hv5", 90_000)];
        assert_eq!(check(DEVICE, voters, &fewer), Act::Wait);
        assert_eq!(check(DEVICE, &[&["hv2", "hv3"]], &[("hv2", 0)]), Act::Feed, "one of two");
        assert_eq!(check(DEVICE, voters, &[]), Act::Wait);
        assert_eq!(check(DEVICE, &[&[]], &[]), Act::Feed, "a node without peers");
    }

    #[test]
    fn while_voters_change_both_sets_must_hear_the_node() {
        let voters: &[&[&str]] = &[&["hv2"], &["hv2", "hv3", "hv4"]];
        assert_eq!(check(DEVICE, voters, &[("hv2", 0)]), Act::Wait);
        assert_eq!(check(DEVICE, voters, &[("hv2", 0), ("hv3", 0)]), Act::Feed);
    }

    #[test]
    fn a_daemon_that_keeps_the_promise_itself_switches_the_host_off() {
        let voters: &[&[&str]] = &[&["hv2", "hv3", "hv4"]];
        for (silent_ms, act) in [(500, Act::Feed), (29_999, Act::Wait), (30_000, Act::PowerOff)] {
            assert_eq!(check(SUICIDE, voters, &[("hv2", 0), ("hv3", silent_ms)]), act);
        }
        assert_eq!(check(SUICIDE, voters, &[]), Act::PowerOff, "never heard at all");
    }

    /// The argument of this module: whatever was received when, a node that was fed is over
    /// before more than half of its voters have been silent for the length of the lease.
    #[test]
    fn the_lease_has_ended_before_it_is_relied_upon() {
        #[expect(clippy::disallowed_methods, reason = "any instant will do to begin with")]
        let base = Instant::now() + Duration::from_secs(1_000);
        for pattern in 0..1_000_u64 {
            let count = usize::try_from(1 + pattern % 5).unwrap();
            let voters = nodes(&["hv2", "hv3", "hv4", "hv5", "hv6"][..count]);
            let sent = |n: u64| base - Duration::from_millis((pattern * 7919 * (n + 1)) % 5_000);
            let acked: BTreeMap<NodeName, Instant> =
                voters.iter().cloned().zip((0..5).map(sent)).collect();
            let sets = [voters.clone()];
            let fed = decide(&Situation {
                terms: DEVICE,
                voters: &sets,
                acked: &acked,
                since: base - Duration::from_secs(999),
                now: base,
            }) == Act::Feed;
            // More than half accuse; what they received last came at the moment it was sent.
            let mut received: Vec<Instant> = acked.values().copied().collect();
            received.sort_unstable();
            let relied_upon = received[count / 2] + DEVICE.length();
            assert!(!fed || base + DEVICE.patience <= relied_upon, "{pattern}");
        }
    }
}
