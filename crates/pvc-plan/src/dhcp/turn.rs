//! Which of the events that wait are seen to, so that no network waits for another's, nor for a guest that
//! never rests.
//!
//! Invariant: what the primary makes of the events that are left is what it makes of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use pvc_common::id::{Duid, MacAddress, Vni};

use super::{Event, Record};

/// Who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holder<'a> {
    Mac(MacAddress),
    Duid(&'a Duid),
}

impl<'a> Holder<'a> {
    const fn of(record: &'a Record) -> Self {
        match record {
            Record::V4(lease) => Self::Mac(lease.mac),
            Record::V6(lease) => Self::Duid(&lease.duid),
        }
    }
}

/// Whether an event says all that a former one of the same holder and address said.
///
/// That somebody lost an address does not undo that he got it: it took it from others. And what is not
/// told again in a renewal stays as it was told before, unless the address was lost in between.
const fn says_all(later: &Event, former: &Event) -> bool {
    match (later, former) {
        (Event::Held(Record::V4(later)), Event::Held(Record::V4(former))) => {
            later.hostname.is_some() || former.hostname.is_none()
        }
        (Event::Held(Record::V6(later)), Event::Held(Record::V6(former))) => {
            (later.hostname.is_some() || former.hostname.is_none())
                && (later.mac.is_some() || former.mac.is_none())
        }
        (Event::Gone(_), Event::Gone(_)) => true,
        (Event::Held(_), Event::Held(_) | Event::Gone(_)) | (Event::Gone(_), Event::Held(_)) => {
            false
        }
    }
}

/// Which of these events, with their numbers and in their order, the primary need not see to: a later
/// one says all that they do.
///
/// However many there were of one holder and address, a few are left.
#[must_use]
pub fn outdated<'a>(
    events: impl DoubleEndedIterator<Item = (u64, Vni, &'a Event)>,
) -> BTreeSet<u64> {
    let mut later: BTreeMap<(Vni, Holder<'_>, IpAddr), Vec<&Event>> = BTreeMap::new();
    let mut outdated = BTreeSet::new();
    for (number, vni, event) in events.rev() {
        let of = (vni, Holder::of(event.record()), event.record().ip());
        let later = later.entry(of).or_default();
        if later.iter().any(|later| says_all(later, event)) {
            outdated.insert(number);
        } else {
            later.push(event);
        }
    }
    outdated
}

/// Which of these events, by their numbers and in their order, are seen to at once if that is done for
/// at most so many: of each network the first ones, and one at least.
#[must_use]
pub fn turns(events: &[(u64, Vni)], most: usize) -> BTreeSet<u64> {
    let mut of_each: BTreeMap<Vni, Vec<u64>> = BTreeMap::new();
    for (number, vni) in events {
        of_each.entry(*vni).or_default().push(*number);
    }
    let share = (most / of_each.len().max(1)).max(1);
    of_each.into_values().flat_map(|numbers| numbers.into_iter().take(share)).collect()
}
