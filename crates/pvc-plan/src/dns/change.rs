//! What makes the stored zones the wanted ones.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::id::DnsName;
use pvc_common::zone::{Change, Data, Record, Soa, Stored, StoredZone, ZoneChange};

use super::{LeftOut, Server, Wanted, Zone};

/// For how many seconds a record may be remembered, and that there is none: a VM that was just
/// started is to be found soon, and one that got another address, too.
const TTL: u32 = 60;

/// What has to be done to the stored zones, and which of the wanted ones cannot be had. `now` is a
/// serial that is greater than those of a while ago, such as the seconds since 1970.
///
/// Zones of others stay as they are, and so do ours that say what they should. Each one that is
/// changed gets a greater serial than it had.
#[must_use]
pub fn change(
    wanted: &Wanted,
    stored: &Stored,
    server: &Server,
    now: u32,
) -> (Change, Vec<LeftOut>) {
    let (mut change, mut left_out) = (Change::default(), Vec::new());
    for zone in &stored.ours {
        let name = zone.name.parse::<DnsName>().ok().filter(|name| name.as_str() == zone.name);
        match name.and_then(|name| wanted.zones.get_key_value(&name)) {
            Some((name, records)) => change.changed.extend(one(zone, name, records, server, now)),
            None => {
                let removed = zone.records.iter().map(|record| record.id).collect();
                change.removed.push(ZoneChange { zone: zone.id, removed, added: Vec::new() });
            }
        }
    }
    let ours: BTreeSet<&str> = stored.ours.iter().map(|zone| zone.name.as_str()).collect();
    for (name, records) in &wanted.zones {
        if ours.contains(name.as_str()) {
            continue;
        }
        if stored.others.contains(name.as_str()) {
            let why = format!("zone {name} is there already, and somebody else's");
            left_out.push(LeftOut { network: None, why });
            continue;
        }
        let first = soa(name, server, now);
        let records = std::iter::once(first).chain(all(records)).collect();
        change.added.push((name.clone(), records));
    }
    (change, left_out)
}

/// What has to be done to one zone.
fn one(
    stored: &StoredZone,
    name: &DnsName,
    wanted: &Zone,
    server: &Server,
    now: u32,
) -> Option<ZoneChange> {
    let text = |record: Record| {
        let key = (record.name.to_string(), record.data.kind(), record.data.to_string());
        (key, record)
    };
    let mut missing: BTreeMap<_, Record> = all(wanted).map(text).collect();
    let (mut surplus, mut heads) = (Vec::new(), Vec::new());
    for record in &stored.records {
        if record.kind == "SOA" {
            heads.push(record);
            continue;
        }
        let key = (record.name.clone(), record.kind.as_str(), record.content.clone());
        match missing.get(&key) {
            Some(found) if record.is(found) => drop(missing.remove(&key)),
            Some(_) | None => surplus.push(record.id),
        }
    }
    let serial = heads.iter().find_map(|head| serial(&head.content));
    let head_is_right = match (heads.as_slice(), serial) {
        ([head], Some(serial)) => head.is(&soa(name, server, serial)),
        _ => false,
    };
    if missing.is_empty() && surplus.is_empty() && head_is_right {
        return None;
    }
    let next = serial.map_or(now, |serial| after(serial, now));
    let removed = heads.iter().map(|head| head.id).chain(surplus).collect();
    let added = std::iter::once(soa(name, server, next)).chain(missing.into_values()).collect();
    Some(ZoneChange { zone: stored.id, removed, added })
}

fn all(zone: &Zone) -> impl Iterator<Item = Record> {
    zone.iter().map(|(name, data)| Record { name: name.clone(), data: data.clone(), ttl: TTL })
}

/// Those who copy the zone look again after three hours, and after half an hour if they get no
/// answer; they use what they have for a day.
fn soa(zone: &DnsName, server: &Server, serial: u32) -> Record {
    let data = Data::Soa(Soa {
        server: server.name.clone(),
        contact: server.contact.clone(),
        serial,
        refresh: 10_800,
        retry: 1_800,
        expire: 86_400,
        minimum: TTL,
    });
    Record { name: zone.clone(), data, ttl: TTL }
}

fn serial(content: &str) -> Option<u32> {
    content.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// A serial that is greater than the last one, in the circle that serials go round.
const fn after(last: u32, now: u32) -> u32 {
    let ahead = now.wrapping_sub(last);
    if ahead != 0 && ahead < 1 << 31 { now } else { last.wrapping_add(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_raised_although_the_clock_went_back_or_the_circle_ended() {
        for (last, now, next) in [
            (1, 1_800_000_000, 1_800_000_000),
            (1_800_000_000, 1_800_000_000, 1_800_000_001),
            (1_800_000_000, 5, 1_800_000_001),
            (u32::MAX, 7, 7),
            (u32::MAX, u32::MAX, 0),
        ] {
            assert_eq!(after(last, now), next, "{last} {now}");
        }
    }
}
