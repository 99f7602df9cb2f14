//! Silence as an observer reckons it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;

use super::*;

const PACE: Pace =
    Pace { every: Duration::from_millis(200), suspect_after: Duration::from_secs(1) };

fn node(number: usize) -> NodeName {
    format!("hv{number}").parse().unwrap()
}

fn nodes(count: usize) -> BTreeSet<NodeName> {
    (1..=count).map(node).collect()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// An observer `hv1` of a cluster, whose rounds are in time and who hears everybody until told.
struct Scene {
    now: Instant,
    detector: Detector,
    silent: BTreeSet<NodeName>,
}

impl Scene {
    fn new(count: usize) -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do to begin with")]
        let now = Instant::now();
        let mut detector = Detector::new(PACE);
        detector.observe(&observed_by(&node(1), &nodes(count)), now);
        let mut scene = Self { now, detector, silent: BTreeSet::new() };
        scene.rounds(20);
        scene
    }

    fn round(&mut self) {
        self.detector.tick(self.now);
        let peers: Vec<NodeName> = self.detector.peers().cloned().collect();
        for peer in peers.iter().filter(|peer| !self.silent.contains(peer)) {
            self.detector.heard(peer, self.now, self.now);
        }
    }

    fn rounds(&mut self, count: u32) {
        for _ in 0..count {
            self.round();
            self.now += PACE.every;
        }
    }

    /// The observer sleeps.
    fn sleep(&mut self, long: Duration) {
        self.now += long;
    }

    fn suspects(&self) -> Vec<String> {
        self.detector.suspects(self.now).keys().map(ToString::to_string).collect()
    }
}

#[test]
fn a_peer_that_falls_silent_is_suspected_after_a_second() {
    let mut scene = Scene::new(3);
    scene.silent.insert(node(3));
    scene.rounds(3);
    assert!(scene.suspects().is_empty());
    scene.rounds(1);
    assert_eq!(scene.suspects(), ["hv3"]);
    scene.silent.clear();
    scene.rounds(1);
    assert!(scene.suspects().is_empty());
}

#[test]
fn an_observer_that_slept_accuses_nobody_for_it() {
    let mut scene = Scene::new(3);
    scene.sleep(ms(30_000));
    scene.detector.tick(scene.now);
    assert!(scene.suspects().is_empty());
    scene.silent.insert(node(3));
    scene.rounds(5);
    assert!(scene.suspects().is_empty(), "it waits twice as long after having slept");
    scene.rounds(5);
    assert_eq!(scene.suspects(), ["hv3"]);
}

#[test]
fn an_observer_that_is_in_time_again_recovers_its_impatience() {
    let mut scene = Scene::new(3);
    scene.sleep(ms(2_000));
    scene.rounds(1);
    assert_eq!(scene.detector.patience(scene.now), ms(2_000));
    scene.rounds(20);
    assert_eq!(scene.detector.patience(scene.now), ms(1_000));
}

#[test]
fn an_observer_that_hears_nobody_waits_longer_before_it_accuses() {
    let mut scene = Scene::new(5);
    scene.silent.extend((2..=5).map(node));
    scene.rounds(5);
    assert!(scene.suspects().is_empty());
    scene.rounds(10);
    assert_eq!(scene.suspects().len(), 4);
}

#[test]
fn what_a_peer_has_answered_is_known_by_when_it_was_sent() {
    let mut scene = Scene::new(2);
    let sent = scene.now;
    scene.detector.heard(&node(2), sent, sent + ms(50));
    scene.detector.heard(&node(2), sent - ms(200), sent + ms(60));
    assert_eq!(scene.detector.acked()[&node(2)], sent, "an answer that comes late changes nothing");
}

#[test]
fn who_is_accused_is_heard_but_not_answered_until_it_is_acquitted() {
    let mut scene = Scene::new(3);
    scene.silent.insert(node(3));
    scene.rounds(5);
    scene.detector.accuse(&node(3));
    assert!(!scene.detector.asked(&node(3), scene.now), "an answer would prolong its lease");
    assert!(scene.suspects().is_empty(), "its probe is a sign of life");
    scene.detector.acquit(&node(3));
    assert!(scene.detector.asked(&node(3), scene.now));
}

#[test]
fn everybody_observes_everybody_in_a_small_cluster() {
    let all = nodes(32);
    for subject in &all {
        assert_eq!(observers(subject, &all).len(), 31);
        assert_eq!(observed_by(subject, &all).len(), 31);
    }
}

#[test]
fn in_a_large_cluster_the_cost_of_a_node_stays_the_same() {
    let all = nodes(300);
    let mut most = 0;
    for subject in &all {
        let observers = observers(subject, &all);
        assert_eq!(observers.len(), FIXED);
        assert!(!observers.contains(subject));
        for observer in observers.iter().take(1) {
            assert!(observed_by(observer, &all).contains(subject));
        }
    }
    for me in all.iter().take(20) {
        most = most.max(observed_by(me, &all).len());
    }
    assert!(most < 3 * FIXED, "{most} observed by one");
}

#[test]
fn a_node_that_joins_changes_the_observers_of_few() {
    let (before, after) = (nodes(100), nodes(101));
    let changed = before.iter().filter(|node| observers(node, &before) != observers(node, &after));
    assert!(changed.count() < 40);
}
