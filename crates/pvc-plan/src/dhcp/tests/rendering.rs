//! The files, word for word.

use super::*;

fn places() -> Places {
    Places {
        names: "10.0.0.254".parse().ok(),
        helper: "/usr/sbin/pvc-dhcp-lease".to_owned(),
        folder: "/run/pvc/dhcp/1000".to_owned(),
    }
}

/// What is served where nobody owns a name.
fn served(vni: Vni, network: &Network) -> (Option<Served>, Vec<String>) {
    super::served(vni, network, &Owners::default())
}

fn rendered(network: &Network) -> (Files, Vec<String>) {
    let (served, trouble) = served(vni(), network);
    (files(&served.expect("something is served"), &places(), Some(1450)), trouble)
}

const OFFICE: &str = "\
# Network 1000, written by pvcnoded: changes are lost.
interface=vmbr1000
except-interface=lo
bind-dynamic
no-hosts
addn-hosts=/run/pvc/dhcp/1000/names
domain-needed
bogus-priv
filterwin2k
expand-hosts
domain=office.local
server=/office.local/10.0.0.254
rev-server=10.1.0.0/24,10.0.0.254
rev-server=2001:db8:1::/64,10.0.0.254
no-resolv
server=192.0.2.53
leasefile-ro
script-on-renewal
dhcp-script=/usr/sbin/pvc-dhcp-lease
dhcp-authoritative
dhcp-lease-max=4197
dhcp-name-match=set:nobodys,wpad
dhcp-name-match=set:nobodys,wpad.*
dhcp-name-match=set:nobodys,isatap
dhcp-name-match=set:nobodys,isatap.*
dhcp-name-match=set:nobodys,localhost
dhcp-name-match=set:nobodys,localhost.*
dhcp-ignore-names=tag:nobodys
dhcp-range=10.1.0.100,10.1.0.199,255.255.255.0,48h
dhcp-hostsfile=/run/pvc/dhcp/1000/hosts
dhcp-option=option:router,10.1.0.1
dhcp-option=option:dns-server,10.1.0.1
dhcp-option=option:ntp-server,10.1.0.1
dhcp-option=option:mtu,1450
enable-ra
quiet-ra
dhcp-range=2001:db8:1::2,2001:db8:1:0:ffff:ffff:ffff:ffff,slaac,ra-names,64,24h
dhcp-option=option6:dns-server,[2001:db8:1::1]
dhcp-option=option6:sntp-server,[2001:db8:1::1]
";

#[test]
fn a_network_with_everything() {
    let (files, trouble) = rendered(&office());
    assert_eq!(files.conf, OFFICE);
    assert_eq!(files.hosts, "52:54:00:00:00:01,10.1.0.10,web1\n");
    assert_eq!(files.names, "10.1.0.10 web1.office.local web1\n");
    assert!(trouble.is_empty(), "{trouble:?}");
}

#[test]
fn without_a_name_server_of_the_cluster_nobody_knows_more_of_the_domain() {
    let (served, _) = served(vni(), &office());
    let places = Places { names: None, ..places() };
    let conf = files(&served.unwrap(), &places, Some(1450)).conf;
    let expected = OFFICE.replace("server=/office.local/10.0.0.254", "local=/office.local/");
    let lines = expected.lines().filter(|line| !line.starts_with("rev-server="));
    assert_eq!(conf, lines.map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn no_guest_gets_the_name_of_another_vm_or_of_the_cluster_by_saying_it() {
    let (served, _) = super::served(vni(), &office(), &owners("52:54:00:00:00:02"));
    let conf = files(&served.unwrap(), &places(), Some(1450)).conf;
    let added = "\
dhcp-name-match=set:nobodys,gateway
dhcp-name-match=set:nobodys,gateway.*
dhcp-name-match=set:nobodys,hv1
dhcp-name-match=set:nobodys,hv1.*
dhcp-name-match=set:nobodys,pvc-dns
dhcp-name-match=set:nobodys,pvc-dns.*
dhcp-ignore-names=tag:nobodys
dhcp-name-match=set:says-web1,web1
dhcp-name-match=set:says-web1,web1.*
dhcp-mac=set:is-web1,52:54:00:00:00:02
dhcp-ignore-names=tag:says-web1,tag:!is-web1
";
    assert_eq!(conf, OFFICE.replace("dhcp-ignore-names=tag:nobodys\n", added));
}

#[test]
fn a_network_of_ipv4_without_dhcp_has_names_only() {
    let network = Network {
        dhcp4: seen(false),
        ip6_network: seen(None),
        ip6_gateway: seen(None),
        dhcp6: seen(false),
        reservations: [].into(),
        name_servers: seen(vec![]),
        domain: seen(None),
        ..office()
    };
    let (files, trouble) = rendered(&network);
    let (head, _) = OFFICE.split_once("domain=").unwrap();
    assert_eq!(files.conf, head);
    assert!(trouble.is_empty(), "{trouble:?}");
}

/// The line with the range of IPv6.
fn range6(network: &str, gateway: &str, dhcp6: bool) -> String {
    let network = Network {
        ip6_network: seen(network.parse().ok()),
        ip6_gateway: seen(gateway.parse().ok()),
        dhcp6: seen(dhcp6),
        ..office()
    };
    let (files, _) = rendered(&network);
    let line = files.conf.lines().find(|line| line.starts_with("dhcp-range=2001:"));
    line.unwrap().strip_prefix("dhcp-range=").unwrap().to_owned()
}

#[test]
fn hosts_of_ipv6_make_their_own_addresses_where_there_is_room() {
    for (network, gateway, dhcp6, expected) in [
        ("2001:db8::/64", "2001:db8::1", false, "2001:db8::,ra-stateless,ra-names,64"),
        ("2001:db8::/120", "2001:db8::1", true, "2001:db8::2,2001:db8::ff,120,24h"),
        (
            "2001:db8::/48",
            "2001:db8:0:7::1",
            true,
            "2001:db8:0:7::2,2001:db8:0:7:ffff:ffff:ffff:ffff,slaac,ra-names,64,24h",
        ),
    ] {
        assert_eq!(range6(network, gateway, dhcp6), expected, "{network}");
    }
}

#[test]
fn nothing_is_served_where_there_is_no_gateway() {
    let bridged = Network { kind: seen(NetworkType::Bridged), ..office() };
    let without = Network { ip4_gateway: seen(None), ip6_gateway: seen(None), ..office() };
    for network in [bridged, without, Network::default()] {
        assert_eq!(served(vni(), &network), (None, vec![]));
    }
}

#[test]
fn what_cannot_be_served_is_told_and_left_out() {
    type Edit = fn(&mut Network);
    let with = |edit: Edit| {
        let mut network = office();
        edit(&mut network);
        served(vni(), &network)
    };
    let cases: [(Edit, &str); 7] = [
        (
            |n| n.ip4_gateway = seen("10.9.0.1".parse().ok()),
            "the gateway 10.9.0.1 is not in 10.1.0.0/24",
        ),
        (
            |n| n.ip6_gateway = seen("2001:db8:2::1".parse().ok()),
            "the gateway 2001:db8:2::1 is not in 2001:db8:1::/64",
        ),
        (
            |n| n.dhcp4_end = seen("10.1.0.99".parse().ok()),
            "no addresses are given away: 10.1.0.100 to 10.1.0.99 is no range of 10.1.0.0/24",
        ),
        (|n| n.dhcp4_start = seen(None), "no addresses are given away: there is no range"),
        (
            |n| n.reservations.extend([reservation("52:54:00:00:00:02", "10.2.0.9", None)]),
            "10.2.0.9 cannot be kept for 52:54:00:00:00:02: it is not in 10.1.0.0/24",
        ),
        (
            |n| n.reservations.extend([reservation("52:54:00:00:00:02", "10.1.0.10", None)]),
            "10.1.0.10 cannot be kept for 52:54:00:00:00:02: it is another's",
        ),
        (|n| n.domain = seen(Some("a b".to_owned())), "`a b` is not a DNS name"),
    ];
    for (edit, expected) in cases {
        let (served, trouble) = with(edit);
        assert!(served.is_some(), "{expected}: the rest is served");
        assert!(trouble[0].starts_with(expected), "{trouble:?}");
    }
}

#[test]
fn a_server_is_not_told_to_ask_itself() {
    let servers = ["10.1.0.1", "2001:db8:1::1", "192.0.2.1"].map(|ip| ip.parse().unwrap());
    let network = Network { name_servers: seen(servers.into()), ..office() };
    let (served, _) = served(vni(), &network);
    assert_eq!(served.unwrap().forwarders, servers[2..]);
}

#[test]
fn a_name_that_dnsmasq_would_read_as_an_order_is_said_by_its_address_only() {
    let with = |name: &str| {
        let reservations = [reservation("52:54:00:00:00:01", "10.1.0.10", Some(name))].into();
        rendered(&Network { reservations, ..office() }).0
    };
    for name in ["ignore", "IGNORE", "infinite", "7", "01", "12h", "3D", "1w", "90s", "5m"] {
        assert_eq!(with(name).hosts, "52:54:00:00:00:01,10.1.0.10\n", "{name}");
    }
    for name in ["s", "h", "ignore1", "infinite-2", "x7", "7x", "1-2", "12hh", "1h2", "7days"] {
        let expected = format!("52:54:00:00:00:01,10.1.0.10,{name}\n");
        assert_eq!(with(name).hosts, expected);
    }
    for name in ["ignore", "7", "12h", "s"] {
        let expected = format!("10.1.0.10 {name}.office.local {name}\n");
        assert_eq!(with(name).names, expected);
    }
}

#[test]
fn nothing_a_person_writes_makes_a_line_or_a_word_of_its_own() {
    let clean = rendered(&office()).0;
    let lines =
        |files: &Files| [&files.conf, &files.hosts, &files.names].map(|text| text.lines().count());
    for hostile in [
        "x\ndhcp-script=/tmp/evil",
        "x,set:y",
        "x #",
        "x/10.0.0.1",
        "x\r\nport=0",
        "$(reboot)",
        "../../etc",
        "x y",
        "\u{2028}",
    ] {
        let network = Network {
            description: seen(hostile.to_owned()),
            domain: seen(Some(hostile.to_owned())),
            reservations: [reservation("52:54:00:00:00:01", "10.1.0.10", Some(hostile))].into(),
            ..office()
        };
        let (files, trouble) = rendered(&network);
        let all = format!("{}{}{}", files.conf, files.hosts, files.names);
        assert!(!all.contains(hostile), "{hostile:?}: {all}");
        assert_eq!(files.hosts, "52:54:00:00:00:01,10.1.0.10\n", "{hostile:?}");
        let [conf, hosts, names] = lines(&clean);
        // The domain's lines and those of its addresses, and the name.
        assert_eq!(lines(&files), [conf - 4, hosts, names - 1], "{hostile:?}");
        assert_eq!(trouble.len(), 2, "{trouble:?}");
    }
}
