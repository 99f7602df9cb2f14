//! What every implementation of the port does. They may meet each other's zones.

use std::time::{Duration, Instant};

use pvc_common::id::DnsName;
use pvc_common::zone::{Change, Data, Record, Soa, Stored, StoredZone, ZoneChange};
use pvc_database::{Zones, ZonesError};

use crate::site::Site;

/// PowerDNS remembers an answer for a second.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

fn name(text: &str) -> DnsName {
    text.parse().unwrap()
}

fn soa(zone: &str, serial: u32) -> Record {
    let (server, contact) = (name("dns.pvc.local"), name("root.pvc.local"));
    let (refresh, retry, expire, minimum) = (10_800, 1_800, 86_400, 60);
    let data = Data::Soa(Soa { server, contact, serial, refresh, retry, expire, minimum });
    Record { name: name(zone), data, ttl: 60 }
}

fn host(text: &str, address: &str) -> Record {
    Record { name: name(text), data: Data::A(address.parse().unwrap()), ttl: 60 }
}

fn made(zone: &str, records: &[Record]) -> Change {
    let records = [&[soa(zone, 1)], records].concat();
    Change { added: vec![(name(zone), records)], ..Change::default() }
}

fn found(stored: &Stored, zone: &str) -> StoredZone {
    let found = stored.ours.iter().find(|found| found.name == zone);
    found.unwrap_or_else(|| panic!("{zone} is not in {stored:?}")).clone()
}

/// Everything out, and these in.
fn replaced(zone: &StoredZone, added: Vec<Record>) -> Change {
    let removed = zone.records.iter().map(|record| record.id).collect();
    Change { changed: vec![ZoneChange { zone: zone.id, removed, added }], ..Change::default() }
}

async fn until(site: &impl Site, name: &str, kind: &str, expected: &[&str]) {
    let begun = Instant::now();
    loop {
        let answers = site.answers(name, kind).await;
        if answers == expected {
            return;
        }
        assert!(begun.elapsed() < ANSWERS_WITHIN, "{name} {kind}: {answers:?}, not {expected:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn what_is_written_is_read_and_answered(site: &impl Site) {
    let zone = "written.local";
    let records = [
        host("web.written.local", "10.0.0.5"),
        Record { name: name(zone), data: Data::Ns(name("dns.pvc.local")), ttl: 60 },
        Record {
            name: name("web.written.local"),
            data: Data::Aaaa("fd00::5".parse().unwrap()),
            ttl: 60,
        },
    ];
    let reverse = Record {
        name: name("5.3.2.10.in-addr.arpa"),
        data: Data::Ptr(name("web.written.local")),
        ttl: 60,
    };
    let mut change = made(zone, &records);
    change.added.extend(made("3.2.10.in-addr.arpa", &[reverse]).added);
    site.port().apply(&change).await.unwrap();
    let stored = site.port().read().await.unwrap();
    let there = found(&stored, zone);
    assert_eq!(there.records.len(), 4);
    for record in records.iter().chain([&soa(zone, 1)]) {
        assert!(there.records.iter().any(|stored| stored.is(record)), "{record:?}");
    }
    until(site, "web.written.local", "A", &["10.0.0.5"]).await;
    until(site, "WEB.written.local", "AAAA", &["fd00::5"]).await;
    until(site, "5.3.2.10.in-addr.arpa", "PTR", &["web.written.local"]).await;
    until(site, zone, "NS", &["dns.pvc.local"]).await;
    let head = "dns.pvc.local root.pvc.local 1 10800 1800 86400 60";
    until(site, zone, "SOA", &[head]).await;
}

pub(crate) async fn what_changes_is_answered_soon(site: &impl Site) {
    let zone = "changed.local";
    site.port().apply(&made(zone, &[host("web.changed.local", "10.0.0.5")])).await.unwrap();
    until(site, "web.changed.local", "A", &["10.0.0.5"]).await;
    until(site, "db.changed.local", "A", &[]).await;
    let there = found(&site.port().read().await.unwrap(), zone);
    let after = vec![soa(zone, 2), host("db.changed.local", "10.0.0.6")];
    site.port().apply(&replaced(&there, after)).await.unwrap();
    until(site, "db.changed.local", "A", &["10.0.0.6"]).await;
    until(site, "web.changed.local", "A", &[]).await;
}

pub(crate) async fn a_zone_that_is_removed_is_gone_with_all_that_stood_in_it(site: &impl Site) {
    let zone = "removed.local";
    site.port().apply(&made(zone, &[host("web.removed.local", "10.0.0.5")])).await.unwrap();
    until(site, "web.removed.local", "A", &["10.0.0.5"]).await;
    let there = found(&site.port().read().await.unwrap(), zone);
    let change = replaced(&there, vec![]);
    let change = Change { removed: change.changed, ..Change::default() };
    site.port().apply(&change).await.unwrap();
    let stored = site.port().read().await.unwrap();
    assert!(stored.ours.iter().all(|there| there.name != zone));
    until(site, "web.removed.local", "A", &[]).await;
}

pub(crate) async fn a_change_made_of_what_is_not_there_any_more_changes_nothing(site: &impl Site) {
    let zone = "raced.local";
    site.port().apply(&made(zone, &[])).await.unwrap();
    let before = found(&site.port().read().await.unwrap(), zone);
    let first = vec![soa(zone, 2), host("first.raced.local", "10.0.0.5")];
    site.port().apply(&replaced(&before, first)).await.unwrap();
    let stored = site.port().read().await.unwrap();
    // Made of what was read before the other one: with a zone that would be fine by itself.
    let mut late = replaced(&before, vec![soa(zone, 3), host("late.raced.local", "10.0.0.6")]);
    late.added.extend(made("late.local", &[]).added);
    let refused = site.port().apply(&late).await.unwrap_err();
    assert!(matches!(refused, ZonesError::Superseded { .. }), "{refused:?}");
    let gone = Change { removed: replaced(&before, vec![]).changed, ..Change::default() };
    let refused = site.port().apply(&gone).await.unwrap_err();
    assert!(matches!(refused, ZonesError::Superseded { .. }), "{refused:?}");
    assert_eq!(site.port().read().await.unwrap(), stored);
}

pub(crate) async fn a_zone_is_made_once(site: &impl Site) {
    site.port().apply(&made("once.local", &[])).await.unwrap();
    let stored = site.port().read().await.unwrap();
    let refused = site.port().apply(&made("once.local", &[])).await.unwrap_err();
    assert!(matches!(refused, ZonesError::Superseded { .. }), "{refused:?}");
    assert_eq!(site.port().read().await.unwrap(), stored);
}

pub(crate) async fn zones_of_others_are_named_and_never_changed(site: &impl Site) {
    site.occupy("theirs.local").await;
    let stored = site.port().read().await.unwrap();
    assert!(stored.others.contains("theirs.local"), "{stored:?}");
    assert!(stored.ours.iter().all(|zone| zone.name != "theirs.local"));
    let refused = site.port().apply(&made("theirs.local", &[])).await.unwrap_err();
    assert!(matches!(refused, ZonesError::Superseded { .. }), "{refused:?}");
}

pub(crate) async fn a_database_that_follows_is_neither_read_nor_written(site: &impl Site) {
    site.follow(true).await;
    let read = site.port().read().await.unwrap_err();
    let written = site.port().apply(&made("follows.local", &[])).await.unwrap_err();
    site.follow(false).await;
    assert!(matches!(read, ZonesError::Follows { .. }), "{read:?}");
    assert!(matches!(written, ZonesError::Follows { .. }), "{written:?}");
    let stored = site.port().read().await.unwrap();
    assert!(stored.ours.iter().all(|zone| zone.name != "follows.local"));
}
