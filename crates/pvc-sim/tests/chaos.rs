//! Random schedules: the guarantees hold, and the checks notice when a guard is missing.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pvc_sim::chaos::{self, Size};
use pvc_sim::guard::Guard;

const SIZE: Size = Size { nodes: 5, vms: 10, minutes: 15 };

/// Plays seeds until one fails: which, and how.
fn first_failure(seeds: Range<u64>, without: Option<Guard>) -> Option<String> {
    let (next, found) = (AtomicU64::new(seeds.start), Mutex::new(None));
    let stop = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let world = chaos::run(seed, SIZE, without, false).unwrap();
                    if let Some(violation) = world.violations.first() {
                        let text = format!("seed {seed}: {violation}");
                        *found.lock().unwrap() = Some(text);
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn two_hundred_random_quarters_of_an_hour_break_no_guarantee() {
    for seeds in [0..100, chaos::MORE..chaos::MORE + 100] {
        let failure = first_failure(seeds, None);
        assert_eq!(failure, None, "cargo xtask sim random --seeds N..N+1 --log");
    }
}

#[test]
fn what_once_broke_a_guarantee_does_not_any_more() {
    for seed in
        [3_489, 6_998, 7_647, 8_609, 21_212, 25_890, 27_402, 28_383, 37_354, 56_624, 82_920, 96_576]
    {
        let world = chaos::run(seed, SIZE, None, false).unwrap();
        assert_eq!(world.violations, [""; 0], "seed {seed}");
    }
}

fn check(guard: Guard) {
    let found = first_failure(0..1_000, Some(guard));
    assert!(found.is_some(), "nobody misses {}", guard.text());
}

#[test]
fn without_agreement_a_guarantee_breaks() {
    check(Guard::Agreement);
}

#[test]
fn without_proof_a_guarantee_breaks() {
    check(Guard::Proof);
}

#[test]
fn without_the_claim_a_guarantee_breaks() {
    check(Guard::Claim);
}

#[test]
fn without_versions_a_guarantee_breaks() {
    check(Guard::Version);
}

#[test]
fn without_the_lease_a_guarantee_breaks() {
    check(Guard::Lease);
}

#[test]
fn without_the_order_of_the_blocklist_a_guarantee_breaks() {
    check(Guard::Blocklist);
}
