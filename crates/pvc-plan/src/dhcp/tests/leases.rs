//! What becomes of leases.

use super::*;
use pvc_common::view::{Builder, Scope};
use pvc_common::zk::{Op, key};

const MAC: &str = "52:54:00:00:00:02";

/// `web1` holds an address of each kind.
fn leased() -> Network {
    let lease = model::Lease {
        znode: seen(()),
        ip: seen("10.1.0.100".parse().ok()),
        hostname: seen(Some("web1".to_owned())),
        expiry: seen(5000),
        client_id: seen("01:52:54:00:00:00:02".to_owned()),
    };
    let lease6 = model::Lease6 {
        znode: seen(()),
        duid: seen("00:01:02".to_owned()),
        iaid: seen(7),
        hostname: seen(None),
        expiry: seen(5000),
        mac: seen(MAC.parse().ok()),
    };
    Network {
        leases: [(MAC.parse().unwrap(), lease)].into(),
        leases6: [("2001:db8:1::5".parse().unwrap(), lease6)].into(),
        ..office()
    }
}

fn event(text: &str) -> Event {
    text.parse().unwrap()
}

/// What is written: `+` created, `=` set, `-` deleted, with the path below the network.
fn shown(verdict: &Verdict) -> String {
    let path = |path: &str| path.strip_prefix("/networks/1000").unwrap().to_owned();
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    let op = |op: &Op| match op {
        Op::Create { path: at, data } => format!("+{} {}", path(at), text(data)),
        Op::Set { path: at, data, .. } => format!("={} {}", path(at), text(data)),
        Op::Delete { path: at, .. } => format!("-{}", path(at)),
        other => format!("?{}", path(other.path())),
    };
    match verdict {
        Verdict::Known => "known".to_owned(),
        Verdict::Refused(why) => why.clone(),
        Verdict::Write(ops) => {
            let lines: Vec<String> = ops.iter().map(|it| op(it).trim().to_owned()).collect();
            assert_eq!(lines[0], "?", "the network itself guards all of it");
            lines[1..].join("\n")
        }
    }
}

fn check(network: &Network, primary: bool, text: &str, expected: &str) {
    let said = verdict(vni(), Some(network), &event(text), primary, &seen(()));
    assert_eq!(shown(&said), expected, "{text}");
}

#[test]
fn a_new_lease_is_written_whole() {
    let lease = "/dhcp4_leases/52:54:00:00:00:09";
    let expected = format!(
        "+{lease}\n+{lease}/ipaddr 10.1.0.109\n+{lease}/hostname db1\n+{lease}/expiry 6000\n\
         +{lease}/clientid *"
    );
    check(&office(), true, "held v4 52:54:00:00:00:09 10.1.0.109 db1 6000 *", &expected);
    check(&office(), false, "held v4 52:54:00:00:00:09 10.1.0.109 db1 6000 *", &expected);
    let lease = "/dhcp6_leases/2001:db8:1::9";
    let expected = format!(
        "+{lease}\n+{lease}/duid 00:09\n+{lease}/iaid 9\n+{lease}/hostname None\n\
         +{lease}/expiry 6000\n+{lease}/mac 52:54:00:00:00:09"
    );
    check(&office(), true, "held v6 00:09 9 2001:db8:1::9 * 6000 52:54:00:00:00:09", &expected);
}

#[test]
fn a_network_of_old_gets_a_parent_for_its_leases() {
    let told = event("held v6 00:09 9 2001:db8:1::9 * 6000 *");
    let said = verdict(vni(), Some(&office()), &told, true, &Seen::Absent);
    assert!(shown(&said).starts_with("+/dhcp6_leases\n+/dhcp6_leases/2001:db8:1::9\n"), "{said:?}");
}

const KNOWN: &str = "held v4 52:54:00:00:00:02 10.1.0.100 web1 5000 01:52:54:00:00:00:02";

#[test]
fn what_is_known_is_not_written_again() {
    check(&leased(), true, KNOWN, "known");
    check(&leased(), true, "held v6 00:01:02 7 2001:db8:1::5 * 5000 52:54:00:00:00:02", "known");
    check(&leased(), true, "gone v4 52:54:00:00:00:0a 10.1.0.110 * 5000 *", "known");
}

#[test]
fn a_renewal_moves_the_end_only() {
    let lease = "/dhcp4_leases/52:54:00:00:00:02";
    check(&leased(), true, &KNOWN.replace("5000", "7000"), &format!("={lease}/expiry 7000"));
}

#[test]
fn a_lease_that_is_over_is_removed_whole() {
    let lease = "/dhcp4_leases/52:54:00:00:00:02";
    let expected =
        format!("-{lease}/ipaddr\n-{lease}/hostname\n-{lease}/expiry\n-{lease}/clientid\n-{lease}");
    check(&leased(), true, "gone v4 52:54:00:00:00:02 10.1.0.100 * 5000 *", &expected);
    check(&leased(), true, "gone v4 52:54:00:00:00:02 10.1.0.101 * 5000 *", "known");
    check(&leased(), true, "gone v6 00:07 7 2001:db8:1::5 * 5000 *", "known");
    let said = verdict(
        vni(),
        Some(&leased()),
        &event("gone v6 00:01:02 7 2001:db8:1::5 * 5000 *"),
        true,
        &seen(()),
    );
    assert!(shown(&said).ends_with("-/dhcp6_leases/2001:db8:1::5"), "{said:?}");
}

#[test]
fn the_primary_gives_an_address_to_another_and_nobody_else_does() {
    let told = "held v4 52:54:00:00:00:09 10.1.0.100 * 6000 *";
    check(&leased(), false, told, "10.1.0.100 is leased to 52:54:00:00:00:02 now");
    let said = verdict(vni(), Some(&leased()), &event(told), true, &seen(()));
    let said = shown(&said);
    assert!(
        said.contains("-/dhcp4_leases/52:54:00:00:00:02\n+/dhcp4_leases/52:54:00:00:00:09"),
        "{said}"
    );
    let told = "held v6 00:09 9 2001:db8:1::5 * 6000 *";
    check(&leased(), false, told, "2001:db8:1::5 is leased to 00:01:02 now");
}

#[test]
fn what_a_former_primary_tells_late_undoes_nothing() {
    check(&leased(), false, &KNOWN.replace("5000", "4000"), "known");
    check(&leased(), false, "gone v4 52:54:00:00:00:02 10.1.0.100 * 4000 *", "known");
    check(&leased(), false, "held v6 00:01:02 8 2001:db8:1::5 * 4000 *", "known");
}

#[test]
fn an_event_of_a_network_that_is_gone_is_refused() {
    let said = verdict(vni(), None, &event(KNOWN), true, &Seen::Absent);
    assert_eq!(said, Verdict::Refused("network 1000 is gone".to_owned()));
}

/// `leased` once its networks are others.
fn moved() -> Network {
    Network {
        ip4_network: seen("10.2.0.0/24".parse().ok()),
        ip6_network: seen("2001:db8:2::/64".parse().ok()),
        ..leased()
    }
}

#[test]
fn an_address_that_the_network_does_not_have_is_nobodys() {
    for primary in [true, false] {
        check(&moved(), primary, KNOWN, "network 1000 does not have 10.1.0.100");
        let told = "held v6 00:01:02 7 2001:db8:1::5 * 5000 52:54:00:00:00:02";
        check(&moved(), primary, told, "network 1000 does not have 2001:db8:1::5");
    }
    // That it is over counts, and its holder gets another one.
    let told = event("gone v4 52:54:00:00:00:02 10.1.0.100 * 5000 *");
    let gone = verdict(vni(), Some(&moved()), &told, true, &seen(()));
    assert!(shown(&gone).ends_with("-/dhcp4_leases/52:54:00:00:00:02"), "{gone:?}");
    let lease = "/dhcp4_leases/52:54:00:00:00:02";
    let moves = format!("={lease}/ipaddr 10.2.0.100");
    check(&moved(), true, &KNOWN.replace("10.1.0.100", "10.2.0.100"), &moves);
    // Nobody knows what a network has that cannot be understood.
    let odd = Network { ip4_network: Seen::read(Some((b"10.1", Version(0)))), ..leased() };
    check(&odd, true, KNOWN, "known");
}

#[test]
fn leases_of_addresses_that_the_network_has_no_more_are_removed_and_told_to_no_dnsmasq() {
    assert!(records(vni(), &moved(), &Owners::default()).is_empty());
    let removed = expired(vni(), &moved(), 1000);
    let [v4, v6] = &removed[..] else { panic!("{removed:?}") };
    assert!(v4.last().unwrap().path().ends_with("/dhcp4_leases/52:54:00:00:00:02"), "{v4:?}");
    assert!(v6.last().unwrap().path().ends_with("/dhcp6_leases/2001:db8:1::5"), "{v6:?}");
    // Unless the network has that address again by then.
    assert_eq!(v4.first(), key::network_ip4_network(vni()).check(&moved().ip4_network).as_ref());
    assert_eq!(v6.first(), key::network_ip6_network(vni()).check(&moved().ip6_network).as_ref());
    assert!(expired(vni(), &leased(), 1000).is_empty());
    let odd = Network { ip4_network: Seen::read(Some((b"10.1", Version(0)))), ..leased() };
    assert!(expired(vni(), &odd, 1000).is_empty());
}

#[test]
fn of_many_leases_that_are_over_some_are_removed_at_a_time() {
    let mut many = moved();
    let lease = many.leases.values().next().unwrap().clone();
    let macs = (0..2000).map(|n| format!("52:54:00:00:{:02x}:{:02x}", n / 256, n % 256));
    many.leases = macs.map(|mac| (mac.parse().unwrap(), lease.clone())).collect();
    let some = expired(vni(), &many, 1000).len();
    assert!((1..=250).contains(&some), "{some}");
}

#[test]
fn leases_that_are_long_over_are_removed_though_nobody_says_so() {
    for (now, expected) in [(5000, 0), (5000 + 3600, 0), (5001 + 3600, 2)] {
        assert_eq!(expired(vni(), &leased(), now).len(), expected, "{now}");
    }
    let mut forever = leased();
    forever.leases.values_mut().for_each(|held| held.expiry = seen(0));
    forever.leases6.clear();
    assert!(expired(vni(), &forever, 1_000_000).is_empty());
}

#[test]
fn dnsmasq_is_told_the_leases_that_there_are_and_who_the_server_is() {
    assert_eq!(
        base(vni(), &records(vni(), &leased(), &Owners::default())),
        "5000 52:54:00:00:00:02 10.1.0.100 web1 01:52:54:00:00:00:02\n\
         duid 00:03:00:01:02:00:00:00:03:e8\n\
         5000 7 2001:db8:1::5 * 00:01:02\n"
    );
    assert_eq!(base(vni(), &[]), "duid 00:03:00:01:02:00:00:00:03:e8\n");
}

#[test]
fn records_read_back() {
    for record in records(vni(), &leased(), &Owners::default()) {
        assert_eq!(record.to_string().parse(), Ok(record.clone()));
        let gone = Event::Gone(record.clone());
        assert_eq!(gone.to_string().parse(), Ok(gone));
    }
    for bad in
        ["", "v4", "v5 a b c d e", "v4 x 10.0.0.1 * 0 *", "v4 52:54:00:00:00:02 10.0.0.1 a;b 0 *"]
    {
        assert!(bad.parse::<Record>().is_err(), "{bad:?}");
    }
}

fn told(words: &str, environment: &[(&str, &str)]) -> Result<Option<Event>, BadRecord> {
    let words: Vec<String> = words.split('|').map(str::to_owned).collect();
    Event::told(&words, &|name| {
        let found = environment.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn what_dnsmasq_tells_is_understood() {
    let env = [("DNSMASQ_LEASE_EXPIRES", "6000"), ("DNSMASQ_CLIENT_ID", "01:52:54:00:00:00:09")];
    for (action, word) in [("add", "held"), ("old", "held"), ("del", "gone")] {
        let said = told(&format!("{action}|52:54:00:00:00:09|10.1.0.109|Web1"), &env);
        let expected =
            format!("{word} v4 52:54:00:00:00:09 10.1.0.109 web1 6000 01:52:54:00:00:00:09");
        assert_eq!(said.unwrap().unwrap().to_string(), expected);
    }
    let env = [("DNSMASQ_LEASE_EXPIRES", "6000"), ("DNSMASQ_IAID", "7"), ("DNSMASQ_MAC", MAC)];
    let said = told("add|00:01:02|2001:db8::5", &env).unwrap().unwrap();
    assert_eq!(said.to_string(), format!("held v6 00:01:02 7 2001:db8::5 * 6000 {MAC}"));
    for other in ["init", "tftp|1|10.0.0.1|f", "arp-add|52:54:00:00:00:09|10.0.0.1", ""] {
        assert_eq!(told(other, &[]), Ok(None), "{other}");
    }
}

#[test]
fn what_a_guest_says_of_itself_is_no_reason_to_lose_its_lease() {
    for name in ["a\nb", "a b", "x".repeat(300).as_str(), "$(reboot)", "-", "a.b"] {
        let env = [("DNSMASQ_CLIENT_ID", name)];
        let said =
            told(&format!("add|52:54:00:00:00:09|10.1.0.109|{name}"), &env).unwrap().unwrap();
        assert_eq!(said.to_string(), "held v4 52:54:00:00:00:09 10.1.0.109 * 0 *", "{name:?}");
    }
    for bad in ["add|08-00:01|10.1.0.109", "add|52:54:00:00:00:09|x", "add|00:01|2001:db8::5"] {
        assert!(told(bad, &[]).is_err(), "{bad}");
    }
}

#[test]
fn events_change_leases_in_order() {
    let mut leases = records(vni(), &leased(), &Owners::default());
    event("held v4 52:54:00:00:00:09 10.1.0.100 * 6000 *").apply(&mut leases);
    let ips: Vec<_> = leases.iter().map(ToString::to_string).collect();
    assert_eq!(ips.len(), 2, "the address has one holder: {ips:?}");
    event("gone v4 52:54:00:00:00:02 10.1.0.100 * 6000 *").apply(&mut leases);
    assert_eq!(leases.len(), 2, "another's end is not its end");
    event("gone v4 52:54:00:00:00:09 10.1.0.100 * 6000 *").apply(&mut leases);
    event("gone v6 00:01:02 7 2001:db8:1::5 * 0 *").apply(&mut leases);
    assert!(leases.is_empty(), "{leases:?}");
}

/// What is in the tree once this was written over a network.
fn after(network: &Network, ops: &[Op]) -> Network {
    let mut builder = Builder::new(Scope::Decisions);
    let description = network.description.get().unwrap();
    builder.set("/networks/1000", Some((description.as_bytes(), Version(0))));
    for op in ops {
        if let Op::Create { path, data } | Op::Set { path, data, .. } = op {
            builder.set(path, Some((data, Version(0))));
        }
    }
    let view = builder.snapshot();
    Network::clone(&view.networks[&vni()])
}

#[test]
fn whatever_is_written_of_a_lease_is_known_once_it_is_there() {
    let names = ["*", "none", "NONE", "None", "null", "false", "0", "x", "nonesuch", "a-b"];
    let ids = ["*", "01:52:54:00:00:00:09", "ff", "00:01:02"];
    let mut tried = 0;
    for (name, id) in names.iter().flat_map(|name| ids.map(|id| (name, id))) {
        for end in ["0", "6000", "18446744073709551615"] {
            let v4 = format!("held v4 52:54:00:00:00:09 10.1.0.109 {name} {end} {id}");
            let mac = if id == "*" { "*" } else { "52:54:00:00:00:09" };
            let duid = if id == "*" { "00:09" } else { id };
            let v6 = format!("held v6 {duid} 0 2001:db8:1::9 {name} {end} {mac}");
            for text in [v4, v6] {
                let say = |network: &Network, primary| {
                    verdict(vni(), Some(network), &event(&text), primary, &seen(()))
                };
                let Verdict::Write(ops) = say(&office(), true) else { panic!("{text}") };
                let written = after(&office(), &ops);
                assert_eq!(say(&written, true), Verdict::Known, "{text}");
                assert_eq!(say(&written, false), Verdict::Known, "{text}");
                assert_eq!(records(vni(), &written, &Owners::default()).len(), 1, "{text}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, names.len() * ids.len() * 3 * 2);
}

#[test]
fn a_lease_that_is_renewed_without_a_name_keeps_the_one_it_has() {
    let lease = "/dhcp4_leases/52:54:00:00:00:02";
    let renewed = KNOWN.replace("5000", "7000").replace("web1", "*");
    check(&leased(), true, &renewed, &format!("={lease}/expiry 7000"));
    let elsewhere = renewed.replace("10.1.0.100", "10.1.0.101");
    let expected =
        format!("={lease}/ipaddr 10.1.0.101\n={lease}/hostname None\n={lease}/expiry 7000");
    check(&leased(), true, &elsewhere, &expected);
    // So does the next dnsmasq, if it is told before the tree is.
    let mut leases = records(vni(), &leased(), &Owners::default());
    event(&renewed).apply(&mut leases);
    assert!(base(vni(), &leases).starts_with("7000 52:54:00:00:00:02 10.1.0.100 web1 "));
    event(&elsewhere).apply(&mut leases);
    assert!(base(vni(), &leases).starts_with("7000 52:54:00:00:00:02 10.1.0.101 * "));
}

#[test]
fn a_lease_that_is_told_without_its_hardware_address_keeps_the_one_it_has() {
    let lease = "/dhcp6_leases/2001:db8:1::5";
    // So says a dnsmasq that was told of it when it started.
    let without = "held v6 00:01:02 7 2001:db8:1::5 * 5000 *";
    check(&leased(), true, without, "known");
    let renewed = without.replace("5000", "7000");
    check(&leased(), true, &renewed, &format!("={lease}/expiry 7000"));
    let mut leases = records(vni(), &leased(), &Owners::default());
    event(&renewed).apply(&mut leases);
    assert_eq!(leases[1].to_string(), format!("v6 00:01:02 7 2001:db8:1::5 * 7000 {MAC}"));
    // Another's is not its.
    let anothers = without.replace("00:01:02", "00:01:03");
    let expected = format!("={lease}/duid 00:01:03\n={lease}/mac");
    check(&leased(), true, &anothers, &expected);
}

#[test]
fn a_lease_that_is_known_as_it_is_told_is_in_the_leases() {
    let leases = records(vni(), &leased(), &Owners::default());
    let is_in = |text: &str| event(text).is_in(&leases);
    assert!(is_in(KNOWN));
    assert!(is_in(&KNOWN.replace("web1", "*")), "it keeps its name");
    assert!(is_in("held v6 00:01:02 7 2001:db8:1::5 * 5000 *"));
    for other in [
        KNOWN.replace("web1", "web2"),
        KNOWN.replace("5000", "5001"),
        KNOWN.replace("10.1.0.100", "10.1.0.101"),
        KNOWN.replace("00:02 ", "00:03 "),
        KNOWN.replace(" 01:52:54:00:00:00:02", " *"),
        "held v6 00:01:03 7 2001:db8:1::5 * 5000 *".to_owned(),
        "held v6 00:01:02 8 2001:db8:1::5 * 5000 *".to_owned(),
        "held v6 00:01:02 7 2001:db8:1::6 * 5000 *".to_owned(),
        KNOWN.replace("held", "gone"),
    ] {
        assert!(!is_in(&other), "{other}");
    }
    assert!(is_in("gone v4 52:54:00:00:00:02 10.1.0.101 * 5000 *"));
    // Of two that have one address, nobody knows whose it is.
    let other = event(&KNOWN.replace("00:02 ", "00:03 ")).record().clone();
    assert!(!event(KNOWN).is_in(&[leases, vec![other]].concat()));
}

#[test]
fn dnsmasq_is_not_told_a_name_that_is_anothers() {
    for (mac, expected) in [(MAC, "web1"), ("52:54:00:00:00:09", "*")] {
        let told = base(vni(), &records(vni(), &leased(), &owners(mac)));
        let line = format!("5000 {MAC} 10.1.0.100 {expected} ");
        assert!(told.starts_with(&line), "{told}");
    }
}

#[test]
fn a_name_that_the_tree_has_no_word_for_is_not_kept() {
    let lease = "/dhcp4_leases/52:54:00:00:00:02";
    check(&leased(), true, &KNOWN.replace("web1", "none"), &format!("={lease}/hostname None"));
}
