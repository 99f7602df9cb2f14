//! The promise, and how it is kept.

mod aim;

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
