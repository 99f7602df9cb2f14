//! Networks and bridges, as tables.

use std::sync::Arc;

use pvc_common::zk::{Seen, Version};

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(0) }
}

fn network(kind: NetworkType, v4: [&str; 2], v6: [&str; 2]) -> Network {
    Network {
        kind: seen(kind),
        ip4_network: seen(v4[0].parse().ok()),
        ip4_gateway: seen(v4[1].parse().ok()),
        ip6_network: seen(v6[0].parse().ok()),
        ip6_gateway: seen(v6[1].parse().ok()),
        ..Network::default()
    }
}

const OFFICE: [&str; 2] = ["10.1.0.0/24", "10.1.0.1"];
const OFFICE6: [&str; 2] = ["2001:db8:1::/64", "2001:db8:1::1"];
const NONE: [&str; 2] = ["None", "None"];

fn addresses(texts: &[&str]) -> BTreeSet<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn bridges(all: &[(&str, &[&str])]) -> Addresses {
    all.iter().map(|(device, texts)| ((*device).to_owned(), addresses(texts))).collect()
}

#[test]
fn a_managed_network_has_its_gateways_and_a_router_for_ipv6() {
    let managed = NetworkType::Managed;
    for (v4, v6, expected) in [
        (OFFICE, OFFICE6, &["10.1.0.1/24", "2001:db8:1::1/64", "fe80::1/64"][..]),
        (OFFICE, NONE, &["10.1.0.1/24"]),
        (NONE, OFFICE6, &["2001:db8:1::1/64", "fe80::1/64"]),
        (NONE, NONE, &[]),
        (["10.1.0.0/24", "None"], ["2001:db8:1::/64", "None"], &[]),
        (["None", "10.1.0.1"], NONE, &[]),
        (["10.1.0.0/24", "10.2.0.1"], ["2001:db8:1::/64", "2001:db8:2::1"], &[]),
    ] {
        assert_eq!(of(&network(managed, v4, v6)), addresses(expected), "{v4:?} {v6:?}");
    }
    assert_eq!(of(&network(NetworkType::Bridged, OFFICE, OFFICE6)), addresses(&[]));
    assert_eq!(of(&Network::default()), addresses(&[]));
}

#[test]
fn the_gateways_of_all_networks_are_by_bridge() {
    let networks = [
        ("7", network(NetworkType::Managed, OFFICE, NONE)),
        ("8", network(NetworkType::Bridged, OFFICE, NONE)),
    ];
    let networks = networks.map(|(vni, network)| (vni.parse().unwrap(), Arc::new(network)));
    let view = View { networks: networks.into_iter().collect(), ..View::default() };
    assert_eq!(wanted(&view), bridges(&[("vmbr7", &["10.1.0.1/24"])]));
}

/// `-vmbr7 10.1.0.1/24`
fn shown(steps: &[Step]) -> Vec<String> {
    let show = |step: &Step| match step {
        Step::Add { device, address } => format!("+{device} {address}"),
        Step::Remove { device, address } => format!("-{device} {address}"),
    };
    steps.iter().map(show).collect()
}

fn check(wanted: &[(&str, &[&str])], seen: &[(&str, &[&str])], expected: &[&str]) {
    let (wanted, seen) = (bridges(wanted), bridges(seen));
    assert_eq!(shown(&plan(&wanted, &seen)), expected, "{wanted:?} {seen:?}");
}

#[test]
fn what_is_missing_is_added_and_what_is_not_wanted_goes_first() {
    check(
        &[("vmbr7", &["10.1.0.1/24"]), ("vmbr8", &["10.2.0.1/24"])],
        &[("vmbr7", &["10.2.0.1/24"]), ("vmbr8", &[])],
        &["-vmbr7 10.2.0.1/24", "+vmbr7 10.1.0.1/24", "+vmbr8 10.2.0.1/24"],
    );
    check(
        &[("vmbr7", &["10.1.0.1/16"])],
        &[("vmbr7", &["10.1.0.1/24"])],
        &["-vmbr7 10.1.0.1/24", "+vmbr7 10.1.0.1/16"],
    );
}

#[test]
fn what_is_as_wanted_is_left_alone() {
    let office: &[(&str, &[&str])] = &[("vmbr7", &["10.1.0.1/24", "fe80::1/64"])];
    check(office, office, &[]);
    check(&[("vmbr9", &["10.9.0.1/24"])], &[], &[]);
}

#[test]
fn other_devices_and_the_kernels_own_addresses_are_not_touched() {
    check(&[], &[("eno1", &["10.0.0.1/24"]), ("vmbr", &["10.3.0.1/24"])], &[]);
    check(&[], &[("vmbr7", &["fe80::5054:ff:fe00:1/64"])], &[]);
    check(&[], &[("vmbr7", &["fe80::1/64"])], &["-vmbr7 fe80::1/64"]);
}
