//! A standing count of which VMs run where: no VM may ever run twice.
//!
//! The hosts cannot be asked at one instant. But a VM that ran on a host at one look and at the
//! next ran there all the time in between, for it cannot have left and returned so quickly; if
//! another host was seen to run it within that time, it ran twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::look::running_on;
use super::{Lab, PREFIX, Program};

/// How long after one look at a host the next begins.
const PACE: Duration = Duration::from_millis(200);

/// A VM may have left and returned between two looks that lie further apart.
const BLINK: Duration = Duration::from_secs(1);

/// So often every host is looked at, also when what is watched is over sooner.
const ENOUGH: usize = 3;

/// How long a host may take to be looked at often enough after the end.
const LAST_LOOKS: Duration = Duration::from_secs(10);

/// One look at a host.
#[derive(Clone, Debug)]
struct Look {
    host: String,
    from: Instant,
    to: Instant,
    running: BTreeSet<String>,
}

/// Counts until it is asked for its result.
#[derive(Debug)]
pub struct Census {
    stop: Vec<Sender<()>>,
    counters: Vec<JoinHandle<Vec<Look>>>,
}

impl Census {
    /// Begins to count on every host.
    #[must_use]
    pub fn begin(lab: &Lab) -> Self {
        let mut stop = Vec::new();
        let mut counters = Vec::new();
        for host in lab.hosts() {
            let (sender, stopped) = mpsc::channel::<()>();
            let (program, host) = (lab.program.clone(), host.clone());
            stop.push(sender);
            counters.push(thread::spawn(move || {
                let mut looks = Vec::new();
                while stopped.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                    looks.extend(look(&program, &host));
                }
                let end = Instant::now() + LAST_LOOKS;
                while looks.len() < ENOUGH && Instant::now() < end {
                    looks.extend(look(&program, &host));
                }
                looks
            }));
        }
        Self { stop, counters }
    }

    /// Ends the count.
    ///
    /// # Panics
    /// When a VM was seen to run twice, or next to nothing was seen.
    #[track_caller]
    pub fn end(self) {
        drop(self.stop);
        let mut looks = Vec::new();
        for counter in self.counters {
            let seen = counter.join().expect("counting does not fail");
            assert!(seen.len() >= ENOUGH, "a host was looked at only {} times", seen.len());
            looks.push(seen);
        }
        let twice = ran_twice(&looks);
        assert!(twice.is_empty(), "{}", twice.join("\n"));
    }
}

/// A host whose libvirt does not answer now will be asked again.
fn look(program: &Program, host: &str) -> Option<Look> {
    let from = Instant::now();
    let mut running = running_on(program, host).ok()?;
    running.retain(|vm| vm.starts_with(PREFIX));
    Some(Look { host: host.to_owned(), from, to: Instant::now(), running })
}

/// A time during which a VM certainly ran on a host.
struct Stay<'a> {
    host: &'a str,
    vm: &'a str,
    from: Instant,
    to: Instant,
}

/// What was seen to run twice, in words; `looks` has one list per host, in order.
fn ran_twice(looks: &[Vec<Look>]) -> Vec<String> {
    let stays: Vec<Stay<'_>> = looks.iter().flat_map(|host| stays(host)).collect();
    let mut twice = BTreeMap::new();
    for other in looks.iter().flatten() {
        for stay in stays.iter().filter(|stay| stay.host != other.host) {
            if other.running.contains(stay.vm) && stay.from <= other.from && other.to <= stay.to {
                let text = format!("{} ran on {} and on {}", stay.vm, stay.host, other.host);
                twice.insert(stay.vm, text);
            }
        }
    }
    twice.into_values().collect()
}

/// The stays that one host's looks prove.
fn stays(looks: &[Look]) -> Vec<Stay<'_>> {
    let mut stays: Vec<Stay<'_>> = Vec::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for pair in looks.windows(2) {
        let [one, next] = pair else { continue };
        if next.from - one.to > BLINK {
            open.clear();
            continue;
        }
        open.retain(|vm, _| one.running.contains(*vm) && next.running.contains(*vm));
        for vm in one.running.intersection(&next.running) {
            if let Some(index) = open.get(vm.as_str()) {
                stays[*index].to = next.from;
            } else {
                open.insert(vm, stays.len());
                stays.push(Stay { host: &one.host, vm, from: one.to, to: next.from });
            }
        }
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks of 50 ms each; `seen` has when they began and whether the VM ran.
    fn looks(host: &str, start: Instant, seen: &[(u64, bool)]) -> Vec<Look> {
        let one = |(at, runs): &(u64, bool)| {
            let from = start + Duration::from_millis(*at);
            let running = runs.then(|| "e2e-vm".to_owned()).into_iter().collect();
            Look { host: host.into(), from, to: from + Duration::from_millis(50), running }
        };
        seen.iter().map(one).collect()
    }

    #[test]
    fn a_vm_on_two_hosts_at_once_is_noticed() {
        let start = Instant::now();
        let one = looks("hv1", start, &[(0, true), (250, true), (500, true)]);
        let other = looks("hv2", start, &[(220, true)]);
        assert_eq!(ran_twice(&[one, other]), ["e2e-vm ran on hv1 and on hv2"]);
    }

    #[test]
    fn a_vm_that_moved_is_not_on_two_hosts() {
        let start = Instant::now();
        let one = looks("hv1", start, &[(0, true), (250, true), (500, false)]);
        let other = looks("hv2", start, &[(220, false), (470, true), (720, true)]);
        assert!(ran_twice(&[one, other]).is_empty());
    }

    #[test]
    fn looks_far_apart_prove_nothing() {
        let start = Instant::now();
        let one = looks("hv1", start, &[(0, true), (3000, true)]);
        let other = looks("hv2", start, &[(1500, true)]);
        assert!(ran_twice(&[one, other]).is_empty());
    }
}
