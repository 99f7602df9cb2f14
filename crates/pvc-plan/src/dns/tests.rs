//! Networks and the zones that they want, as tables; and changes that lead there.

use std::sync::Arc;

use pvc_common::id::MacAddress;
use pvc_common::model::{Lease, Lease6, Reservation, Vm, VmInterface};
use pvc_common::zk::{Seen, Text, Version};
use pvc_common::zone::{Change, Record, Stored, StoredRecord, StoredZone, ZoneChange};

use super::*;

fn seen<T: Text>(text: &str) -> Seen<T> {
    Seen::read(Some((text.as_bytes(), Version(0))))
}

fn server() -> Server {
    Server::of(Some("pvc.lab")).unwrap()
}

/// A managed network: `v4` and `v6` are its networks, whose first addresses are its gateways.
fn network(domain: &str, v4: &str, v6: &str) -> Network {
    let mut network = Network {
        kind: seen("managed"),
        domain: seen(domain),
        ip4_network: seen(v4),
        ip6_network: seen(v6),
        ..Network::default()
    };
    let first = |net: &str| net.split('/').next().unwrap().to_owned();
    if v4 != "None" {
        network.ip4_gateway = seen(&format!("{}.1", first(v4).rsplit_once('.').unwrap().0));
    }
    if v6 != "None" {
        network.ip6_gateway = seen(&format!("{}1", first(v6)));
    }
    network
}

fn mac(n: u8) -> MacAddress {
    format!("52:54:00:00:00:{n:02x}").parse().unwrap()
}

fn reserve(network: &mut Network, n: u8, ip: &str, hostname: &str) {
    let (ip, hostname) = (seen(ip), seen(hostname));
    network.reservations.insert(mac(n), Reservation { znode: seen(""), ip, hostname });
}

fn lease(network: &mut Network, n: u8, ip: &str, hostname: &str, expiry: u64) {
    let lease = Lease {
        znode: seen(""),
        ip: seen(ip),
        hostname: seen(hostname),
        expiry: seen(&expiry.to_string()),
        client_id: seen("*"),
    };
    network.leases.insert(mac(n), lease);
}

fn decide(networks: &[(u32, Network)]) -> Wanted {
    with_vms(networks, &[])
}

fn vni(n: u32) -> Vni {
    n.to_string().parse().unwrap()
}

/// What is decided where there is a node `hv1`, and VMs with an interface each: their names, the networks
/// and the hardware addresses there.
fn with_vms(networks: &[(u32, Network)], vms: &[(&str, u32, u8)]) -> Wanted {
    let each = networks.iter().cloned();
    let networks = each.map(|(n, network)| (vni(n), Arc::new(network))).collect();
    let vms = vms.iter().enumerate().map(|(n, (name, of, address))| {
        let interfaces = vec![VmInterface { vni: vni(*of), mac: mac(*address) }];
        let vm = Vm { name: seen(name), interfaces, ..Vm::default() };
        (format!("00000000-0000-0000-0000-{n:012}").parse().unwrap(), Arc::new(vm))
    });
    let owners = Owners::of(&networks, &vms.collect(), [&"hv1".parse().unwrap()]);
    wanted(&networks, &owners, &server())
}

/// What a zone says, but for its name server.
fn says(wanted: &Wanted, zone: &str) -> Vec<String> {
    let zone = &wanted.zones[&zone.parse::<DnsName>().unwrap()];
    let said = zone.iter().filter(|(_, data)| data.kind() != "NS");
    said.map(|(name, data)| format!("{name} {} {data}", data.kind())).collect()
}

fn left_out(wanted: &Wanted) -> Vec<&str> {
    wanted.left_out.iter().map(|left| left.why.as_str()).collect()
}

#[test]
fn a_managed_network_has_a_zone_and_one_for_its_addresses() {
    let mut net = network("net1.local", "10.20.30.0/24", "fd00:1::/64");
    reserve(&mut net, 1, "10.20.30.5", "Web1");
    lease(&mut net, 2, "10.20.30.100", "desk", 5);
    let wanted = decide(&[
        (100, net),
        (200, Network { kind: seen("bridged"), ..network("b.local", "10.9.0.0/24", "None") }),
    ]);
    assert_eq!(wanted.zones.len(), 3, "{:?}", wanted.zones.keys());
    assert_eq!(
        says(&wanted, "net1.local"),
        [
            "desk.net1.local A 10.20.30.100",
            "gateway.net1.local A 10.20.30.1",
            "gateway.net1.local AAAA fd00:1::1",
            "web1.net1.local A 10.20.30.5"
        ]
    );
    assert_eq!(
        says(&wanted, "30.20.10.in-addr.arpa"),
        [
            "1.30.20.10.in-addr.arpa PTR gateway.net1.local",
            "100.30.20.10.in-addr.arpa PTR desk.net1.local",
            "5.30.20.10.in-addr.arpa PTR web1.net1.local"
        ]
    );
    assert_eq!(says(&wanted, "0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa").len(), 1);
    for (name, zone) in &wanted.zones {
        let ns = (name.clone(), Data::Ns("pvc-dns.pvc.lab".parse().unwrap()));
        assert!(zone.contains(&ns), "{name}");
    }
}

#[test]
fn a_reservation_comes_before_a_lease_and_a_gateway_before_both() {
    let mut net = network("a.local", "10.0.0.0/24", "None");
    reserve(&mut net, 9, "10.0.0.9", "web");
    reserve(&mut net, 8, "10.0.0.8", "gateway");
    lease(&mut net, 1, "10.0.0.101", "WEB", 9);
    lease(&mut net, 2, "10.0.0.9", "other", 9);
    lease(&mut net, 9, "10.0.0.9", "debian", 9);
    let wanted = decide(&[(100, net)]);
    assert_eq!(says(&wanted, "a.local"), ["gateway.a.local A 10.0.0.1", "web.a.local A 10.0.0.9"]);
    // What the reservation of the same machine overrules is no dispute.
    assert_eq!(
        left_out(&wanted),
        [
            "gateway.a.local is the gateway of network 100's, not 52:54:00:00:00:08 of network 100's",
            "web.a.local is 52:54:00:00:00:09 of network 100's, not 52:54:00:00:00:01 of network 100's",
            "10.0.0.9 is 52:54:00:00:00:09 of network 100's, not 52:54:00:00:00:02 of network 100's"
        ]
    );
}

#[test]
fn of_two_leases_the_one_in_use_has_the_name() {
    for (first, second, holder) in
        [(5, 9, "10.0.0.102"), (9, 5, "10.0.0.101"), (9, 0, "10.0.0.102"), (5, 5, "10.0.0.101")]
    {
        let mut net = network("a.local", "10.0.0.0/24", "None");
        lease(&mut net, 1, "10.0.0.101", "desk", first);
        lease(&mut net, 2, "10.0.0.102", "desk", second);
        let said = says(&decide(&[(100, net)]), "a.local");
        assert_eq!(said[0], format!("desk.a.local A {holder}"), "{first} {second}");
    }
}

#[test]
fn no_guest_takes_the_name_of_a_vm_whether_that_has_an_address_or_not() {
    let vms = [("web1", 100, 1), ("evil", 100, 2), ("Db1", 200, 3), ("no_host", 100, 4)];
    let mut net = network("a.local", "10.0.0.0/24", "None");
    lease(&mut net, 2, "10.0.0.102", "WEB1", 9);
    lease(&mut net, 9, "10.0.0.109", "web1.a.local", 9);
    lease(&mut net, 10, "10.0.0.110", "db1", 9);
    let both =
        |net: &Network| [(100, net.clone()), (200, network("A.local", "10.1.0.0/24", "None"))];
    let wanted = with_vms(&both(&net), &vms);
    // The thief is called what it is.
    assert_eq!(
        says(&wanted, "a.local"),
        ["evil.a.local A 10.0.0.102", "gateway.a.local A 10.0.0.1"]
    );
    let left = left_out(&wanted);
    assert_eq!(
        left[..3],
        [
            "52:54:00:00:00:02: web1.a.local is the name of another VM",
            "52:54:00:00:00:09: web1.a.local is the name of another VM",
            "52:54:00:00:00:0a: db1.a.local is the name of another VM"
        ]
    );
    // And whoever it is has it, though its lease ends sooner.
    lease(&mut net, 1, "10.0.0.101", "web1", 5);
    let said = says(&with_vms(&both(&net), &vms), "a.local");
    assert_eq!(said[2], "web1.a.local A 10.0.0.101");
}

#[test]
fn a_vm_has_a_name_of_its_own_choice_if_nobody_has_that_and_its_own_if_it_says_none() {
    let mut net = network("a.local", "10.0.0.0/24", "None");
    lease(&mut net, 1, "10.0.0.101", "shop", 5);
    lease(&mut net, 2, "10.0.0.102", "*", 5);
    lease(&mut net, 3, "10.0.0.103", "*", 9);
    let vms = [("web1", 100, 1), ("db1", 100, 2), ("db1", 100, 3), ("idle", 100, 4)];
    let wanted = with_vms(&[(100, net)], &vms);
    assert_eq!(
        says(&wanted, "a.local"),
        ["db1.a.local A 10.0.0.103", "gateway.a.local A 10.0.0.1", "shop.a.local A 10.0.0.101"]
    );
    assert!(left_out(&wanted).is_empty(), "two interfaces of one name are no dispute");
}

#[test]
fn a_reservation_comes_before_the_vm_of_that_name() {
    let mut net = network("a.local", "10.0.0.0/24", "None");
    reserve(&mut net, 9, "10.0.0.9", "web1");
    lease(&mut net, 1, "10.0.0.101", "web1", 5);
    let wanted = with_vms(&[(100, net)], &[("web1", 100, 1)]);
    assert_eq!(says(&wanted, "a.local")[1], "web1.a.local A 10.0.0.9");
    assert_eq!(
        left_out(&wanted),
        [
            "web1.a.local is 52:54:00:00:00:09 of network 100's, not 52:54:00:00:00:01 of network 100's"
        ]
    );
}

#[test]
fn no_guest_is_called_as_the_cluster_is_but_for_a_vm_of_that_name() {
    let mut net = network("pvc.lab", "10.0.0.0/24", "None");
    net.ip4_gateway = seen("None");
    for (n, name) in (1..).zip(["hv1", "pvc-dns", "gateway"]) {
        lease(&mut net, n, &format!("10.0.0.{n}"), name, 5);
    }
    let wanted = decide(&[(100, net.clone())]);
    assert!(says(&wanted, "pvc.lab").is_empty());
    assert_eq!(
        left_out(&wanted)[0],
        "52:54:00:00:00:01: hv1.pvc.lab is a name of the cluster's own"
    );
    let wanted = with_vms(&[(100, net)], &[("hv1", 100, 1)]);
    assert_eq!(says(&wanted, "pvc.lab"), ["hv1.pvc.lab A 10.0.0.1"]);
}

#[test]
fn networks_may_share_a_domain_and_a_zone_of_addresses() {
    let mut one = network("a.local", "10.0.0.0/25", "None");
    let mut two = network("A.local.", "10.0.0.128/25", "None");
    two.ip4_gateway = seen("10.0.0.129");
    reserve(&mut one, 1, "10.0.0.5", "web");
    reserve(&mut two, 2, "10.0.0.130", "web");
    reserve(&mut two, 3, "10.0.0.131", "db");
    let wanted = decide(&[(200, one), (300, two)]);
    assert_eq!(wanted.zones.len(), 2);
    assert_eq!(
        says(&wanted, "a.local"),
        ["db.a.local A 10.0.0.131", "gateway.a.local A 10.0.0.1", "web.a.local A 10.0.0.5"]
    );
    assert_eq!(left_out(&wanted).len(), 2);
}

#[test]
fn what_names_itself_after_its_domain_has_its_short_name() {
    let mut net = network("a.local", "10.0.0.0/24", "None");
    lease(&mut net, 1, "10.0.0.101", "desk.A.local", 5);
    assert_eq!(says(&decide(&[(100, net)]), "a.local")[0], "desk.a.local A 10.0.0.101");
}

#[test]
fn nothing_hostile_gets_in_and_it_keeps_nothing_else_out() {
    let hostile = [
        "'); DROP TABLE records; --",
        "a b",
        "*.a.local",
        "ns1.example.org",
        "a\n10.0.0.1 b",
        "_tcp",
        "WPAD",
        "localhost",
        "isatap.a.local",
        "ä",
        "-x",
        &"x".repeat(64),
    ];
    let mut net = network("a.local", "10.0.0.0/24", "None");
    for (n, name) in (10..).zip(hostile) {
        lease(&mut net, n, &format!("10.0.0.{n}"), name, 5);
    }
    lease(&mut net, 100, "10.0.0.100", "*", 5);
    lease(&mut net, 101, "10.0.0.101", "good", 5);
    let wanted = decide(&[(100, net), (101, network("b.local'; --", "10.1.0.0/24", "None"))]);
    assert_eq!(says(&wanted, "a.local").len(), 2);
    assert_eq!(wanted.zones.len(), 2);
    let left = left_out(&wanted);
    assert_eq!(left.len(), hostile.len() + 1);
    assert!(left.iter().all(|why| !why.contains('\n')), "{left:?}");
}

#[test]
fn a_machine_has_one_name_for_an_address_of_each_family() {
    let mut net = network("a.local", "10.0.0.0/24", "fd00::/64");
    lease(&mut net, 1, "10.0.0.101", "desk", 5);
    for (n, address) in [(1, "fd00::101"), (2, "fd00::102")] {
        let lease = Lease6 {
            hostname: seen("desk"),
            expiry: seen("9"),
            mac: Seen::Value { value: Some(mac(n)), version: Version(0) },
            ..Lease6::default()
        };
        net.leases6.insert(address.parse().unwrap(), lease);
    }
    let wanted = decide(&[(100, net)]);
    assert_eq!(
        says(&wanted, "a.local")[..2],
        ["desk.a.local A 10.0.0.101", "desk.a.local AAAA fd00::101"]
    );
    assert_eq!(left_out(&wanted).len(), 1, "the other one of that name");
}

#[test]
fn an_ipv6_address_is_its_machines_whatever_that_said_when_it_asked_for_it() {
    let mut net = network("a.local", "10.0.0.0/24", "fd00::/64");
    lease(&mut net, 1, "10.0.0.101", "shop", 5);
    lease(&mut net, 3, "10.0.0.103", "desk", 5);
    reserve(&mut net, 4, "10.0.0.104", "kept");
    for n in 1..=5 {
        let mac = Seen::Value { value: Some(mac(n)), version: Version(0) };
        let lease = Lease6 { hostname: seen("None"), expiry: seen("9"), mac, ..Lease6::default() };
        net.leases6.insert(format!("fd00::10{n}").parse().unwrap(), lease);
    }
    let wanted = with_vms(&[(100, net)], &[("web1", 100, 1), ("db1", 100, 2)]);
    let said = says(&wanted, "a.local");
    let v6: Vec<_> = said.iter().filter(|line| line.contains("fd00::10")).collect();
    assert_eq!(
        v6,
        [
            "db1.a.local AAAA fd00::102",
            "desk.a.local AAAA fd00::103",
            "kept.a.local AAAA fd00::104",
            "shop.a.local AAAA fd00::101"
        ],
        "and of the fifth nothing is known"
    );
    assert!(left_out(&wanted).is_empty());
}

#[test]
fn an_address_of_another_network_gets_no_name() {
    let mut net = network("a.local", "10.0.0.0/24", "None");
    reserve(&mut net, 1, "10.0.1.5", "web");
    let wanted = decide(&[(100, net)]);
    assert_eq!(left_out(&wanted), ["52:54:00:00:00:01: the network has no 10.0.1.5"]);
}

/// A database, as far as a change is concerned.
fn apply(stored: &Stored, change: &Change) -> Stored {
    let mut after = stored.clone();
    let mut next = 1 + ids(stored).max().unwrap_or(0);
    let mut store = |records: &[Record]| -> Vec<StoredRecord> {
        let each = records.iter().map(|record| {
            next += 1;
            StoredRecord {
                id: next,
                name: record.name.to_string(),
                kind: record.data.kind().to_owned(),
                content: record.data.to_string(),
                ttl: i64::from(record.ttl),
                live: true,
            }
        });
        each.collect()
    };
    for ZoneChange { zone, removed, added } in &change.changed {
        let zone = after.ours.iter_mut().find(|z| z.id == *zone).unwrap();
        let before = zone.records.len();
        zone.records.retain(|record| !removed.contains(&record.id));
        assert_eq!(before - zone.records.len(), removed.len(), "it takes out what is there");
        zone.records.extend(store(added));
    }
    after.ours.retain(|zone| !change.removed.iter().any(|removed| removed.zone == zone.id));
    let zone = 1 + stored.ours.iter().map(|zone| zone.id).max().unwrap_or(0);
    for (n, (name, records)) in (zone..).zip(&change.added) {
        let records = store(records);
        after.ours.push(StoredZone { id: n, name: name.to_string(), records });
    }
    after
}

fn ids(stored: &Stored) -> impl Iterator<Item = i64> {
    stored.ours.iter().flat_map(|zone| &zone.records).map(|record| record.id)
}

fn serials(stored: &Stored) -> BTreeMap<String, u32> {
    let head = |zone: &StoredZone| {
        let soa = zone.records.iter().find(|record| record.kind == "SOA").unwrap();
        soa.content.split(' ').nth(2).unwrap().parse().unwrap()
    };
    stored.ours.iter().map(|zone| (zone.name.clone(), head(zone))).collect()
}

#[test]
fn a_change_leads_to_what_is_wanted_and_raises_the_serials_of_what_it_touches() {
    let mut net = network("a.local", "10.0.0.0/24", "None");
    let (empty, before) = (
        Stored::default(),
        decide(&[(100, net.clone()), (101, network("b.local", "10.1.0.0/24", "None"))]),
    );
    let (first, _) = change(&before, &empty, &server(), 50);
    let stored = apply(&empty, &first);
    assert_eq!(change(&before, &stored, &server(), 60).0, Change::default());
    reserve(&mut net, 1, "10.0.0.5", "web");
    let after = decide(&[(100, net)]);
    let (second, _) = change(&after, &stored, &server(), 60);
    assert_eq!((second.changed.len(), second.removed.len(), second.added.len()), (2, 2, 0));
    let stored = apply(&stored, &second);
    assert_eq!(serials(&stored).into_values().collect::<Vec<_>>(), [60, 60]);
    assert!(change(&after, &stored, &server(), 70).0.is_empty());
}

#[test]
fn a_zone_of_somebody_else_stays_as_it_is() {
    let wanted = decide(&[(100, network("a.local", "10.0.0.0/24", "None"))]);
    let others = BTreeSet::from(["a.local".to_owned(), "x.local".to_owned()]);
    let (change, left) = change(&wanted, &Stored { ours: vec![], others }, &server(), 5);
    let added: Vec<_> = change.added.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(added, ["0.0.10.in-addr.arpa"]);
    assert_eq!(left[0].why, "zone a.local is there already, and somebody else's");
}

#[test]
fn what_others_left_in_a_zone_of_ours_is_put_right() {
    let wanted = decide(&[(100, network("a.local", "10.0.0.0/24", "None"))]);
    let stored = apply(&Stored::default(), &change(&wanted, &Stored::default(), &server(), 5).0);
    let spoil: [fn(&mut Vec<StoredRecord>); 6] = [
        |records| records.clear(),
        |records| records[0].live = false,
        |records| records[1].ttl = 7,
        |records| records[1].content = "x".to_owned(),
        |records| records.push(StoredRecord { id: 500, ..records[0].clone() }),
        |records| records.push(StoredRecord { id: 501, ..records[2].clone() }),
    ];
    for (n, spoil) in spoil.into_iter().enumerate() {
        let mut spoilt = stored.clone();
        spoil(&mut spoilt.ours.iter_mut().find(|zone| zone.name == "a.local").unwrap().records);
        let (mended, _) = change(&wanted, &spoilt, &server(), 9);
        assert_eq!(mended.changed.len(), 1, "{n}");
        let mended = apply(&spoilt, &mended);
        assert!(change(&wanted, &mended, &server(), 10).0.is_empty(), "{n}");
    }
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn network(&mut self) -> Network {
        let domain =
            ["a.local", "b.local", "a.b.local", "None", "bad name"][self.below(5) as usize];
        let v4 = ["10.0.0.0/24", "10.0.0.0/25", "10.0.0.0/23", "None"][self.below(4) as usize];
        let v6 = ["fd00::/64", "fd00::/62", "None"][self.below(3) as usize];
        let mut net = network(domain, v4, v6);
        for _ in 0..self.below(6) {
            let (n, ip, name) = (self.below(9) as u8, self.below(9), self.below(5));
            let (ip, name) = (format!("10.0.0.{ip}"), format!("host{name}"));
            match self.below(2) {
                0 => reserve(&mut net, n, &ip, &name),
                _ => lease(&mut net, n, &ip, &name, self.below(3)),
            }
        }
        net
    }
}

#[test]
fn whatever_is_wanted_one_change_leads_there_and_no_second_is_needed() {
    let mut chance = Chance(7);
    let mut stored = Stored::default();
    for now in 0..3_000 {
        let count = chance.below(4) as u32;
        let networks: Vec<_> = (100..100 + count).map(|vni| (vni, chance.network())).collect();
        let wanted = decide(&networks);
        let before = serials(&stored);
        stored = apply(&stored, &change(&wanted, &stored, &server(), now / 3).0);
        assert!(change(&wanted, &stored, &server(), now).0.is_empty());
        for zone in &stored.ours {
            let zone_wanted = &wanted.zones[&zone.name.parse::<DnsName>().unwrap()];
            assert_eq!(zone.records.len(), zone_wanted.len() + 1, "{networks:?}");
        }
        assert_eq!(stored.ours.len(), wanted.zones.len());
        for (zone, serial) in serials(&stored) {
            assert!(before.get(&zone).is_none_or(|before| serial >= *before), "{zone}");
        }
        let mut named = BTreeMap::new();
        for (name, data) in wanted.zones.values().flatten() {
            if let Data::A(address) = data {
                assert_eq!(named.insert(*address, name.clone()), None, "an address has one name");
            }
        }
    }
}
