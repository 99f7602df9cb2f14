//! The texts of a request about networks, each understood and checked by itself.
//!
//! What is accepted here gets into configurations of other programs, zones and statements: nothing
//! passes that could mean more than itself there. Each refusal says what was found and expected.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use pvc_common::id::{DnsName, MacAddress, RuleName, Vni};

/// The cluster's own networks, which VMs name in place of one of these.
pub(crate) const SYSTEM: [&str; 3] = ["upstream", "cluster", "storage"];
/// As many name servers as a guest asks at all, several times over.
const NAME_SERVERS: usize = 8;
/// IPv4 hosts must be able to get a packet of this size over any link.
const MTU_MIN: u32 = 576;
/// The largest that a device takes.
const MTU_MAX: u32 = 65_535;
/// Holds some two hundred addresses in a set.
const RULE_LENGTH: usize = 4096;

/// No hosts' addresses: of no network, the loopback, links (where metadata is asked for), groups and
/// future use.
const SPECIAL4: [Ipv4Net; 4] = [
    Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// A text as it may be repeated to whoever sent it: short, and in one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(80) {
        if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    format!("'{shown}'")
}

fn wrong(text: &str, expected: &str) -> String {
    format!("{} is not valid; expected {expected}", quoted(text))
}

/// Whether a text is a name of plain characters: letters, digits and those in `more`, beginning with a
/// letter or digit.
fn is_plain(text: &str, more: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// The number of a network.
pub(crate) fn vni(text: &str) -> Result<Vni, String> {
    let expected = format!("a whole number from 1 to {}", Vni::MAX);
    text.parse().map_err(|_| wrong(text, &expected))
}

/// The name of a network for people.
pub(crate) fn description(text: &str) -> Result<String, String> {
    if SYSTEM.contains(&text) {
        return Err(format!("{} is a network of the cluster itself", quoted(text)));
    }
    if !is_plain(text, "._-") || text.len() > 64 {
        let expected = "up to 64 letters, digits, '.', '_' and '-', a letter or digit first";
        return Err(wrong(text, expected));
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong(text, "more than digits, which would look like a VNI"));
    }
    Ok(text.to_owned())
}

/// Whether a text is one label of a host's name (RFC 1123).
fn is_label(text: &str) -> bool {
    is_plain(text, "-") && text.len() <= 63 && !text.ends_with('-')
}

/// The name of a host in its domain.
pub(crate) fn hostname(text: &str) -> Result<String, String> {
    let expected = "up to 63 letters, digits and inner hyphens, without a domain";
    if is_label(text) { Ok(text.to_owned()) } else { Err(wrong(text, expected)) }
}

/// A DNS domain.
pub(crate) fn domain(text: &str) -> Result<String, String> {
    let is_address = text.parse::<Ipv4Addr>().is_ok();
    if text.parse::<DnsName>().is_ok() && !text.ends_with('.') && !is_address {
        return Ok(text.to_owned());
    }
    let expected = "a domain such as office.example.org: labels of letters, digits, underscores \
                    and inner hyphens between single dots";
    Err(wrong(text, expected))
}

/// A size of packets.
pub(crate) fn mtu(text: &str) -> Result<u32, String> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let size = text.parse().ok().filter(|size| digits && (MTU_MIN..=MTU_MAX).contains(size));
    size.ok_or_else(|| wrong(text, &format!("a whole number from {MTU_MIN} to {MTU_MAX}")))
}

/// An IPv4 address.
pub(crate) fn address4(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().map_err(|_| wrong(text, "an IPv4 address such as 10.1.0.1"))
}

/// An IPv6 address.
pub(crate) fn address6(text: &str) -> Result<Ipv6Addr, String> {
    text.parse().map_err(|_| wrong(text, "an IPv6 address such as fd00:1::1"))
}

/// An IPv4 network of hosts.
pub(crate) fn network4(text: &str) -> Result<Ipv4Net, String> {
    let expected = "an IPv4 network such as 10.1.0.0/24, of 8 to 30 bits";
    let network: Ipv4Net = text.parse().map_err(|_| wrong(text, expected))?;
    if network.addr() != network.network() {
        return Err(wrong(text, &format!("the network's first address: {}", network.trunc())));
    }
    // A mask in place of the length is understood, too, but not shown so.
    if !(8..=30).contains(&network.prefix_len()) || network.to_string() != text {
        return Err(wrong(text, expected));
    }
    let overlaps = |other: &Ipv4Net| network.contains(other) || other.contains(&network);
    if SPECIAL4.iter().any(overlaps) {
        let expected = "addresses of hosts, not of a loopback, link, group or future use";
        return Err(wrong(text, expected));
    }
    Ok(network)
}

/// An IPv6 network of hosts. They make their addresses of 64 bits of their own.
pub(crate) fn network6(text: &str) -> Result<Ipv6Net, String> {
    let expected = "an IPv6 network of 64 bits such as fd00:1::/64";
    let network: Ipv6Net = text.parse().map_err(|_| wrong(text, expected))?;
    if network.addr() != network.network() {
        return Err(wrong(text, &format!("the network's first address: {}", network.trunc())));
    }
    if network.prefix_len() != 64 {
        return Err(wrong(text, expected));
    }
    let first = network.network();
    let local = first.is_unicast_link_local() || first.is_multicast();
    // What is special otherwise begins with zeros: loopback, IPv4 in disguise.
    if local || first.segments()[0] == 0 {
        return Err(wrong(text, "addresses of hosts, not of a loopback, link or group"));
    }
    Ok(network)
}

/// Name servers, in order.
pub(crate) fn name_servers(texts: &[String]) -> Result<Vec<IpAddr>, String> {
    if texts.len() > NAME_SERVERS {
        return Err(format!("{} addresses; expected up to {NAME_SERVERS}", texts.len()));
    }
    let mut servers: Vec<IpAddr> = Vec::new();
    for text in texts {
        let server = text.parse().ok();
        let host = |one: &IpAddr| !one.is_unspecified() && !one.is_multicast();
        let server = server.filter(host).ok_or_else(|| wrong(text, "the address of a host"))?;
        if servers.contains(&server) {
            return Err(format!("{} is given twice", quoted(text)));
        }
        servers.push(server);
    }
    Ok(servers)
}

/// The hardware address of one interface.
pub(crate) fn mac(text: &str) -> Result<MacAddress, String> {
    let expected = "six pairs of hex digits such as 52:54:00:12:34:56";
    let mac: MacAddress = text.parse().map_err(|_| wrong(text, expected))?;
    if mac.is_of_one() {
        Ok(mac)
    } else {
        Err(wrong(text, "the address of one interface, not of a group"))
    }
}

/// The name of a firewall rule.
pub(crate) fn rule_name(text: &str) -> Result<RuleName, String> {
    let plain = is_plain(text, " ._:,+-=@#&*()") && text.len() <= 96;
    text.parse().ok().filter(|_| plain).ok_or_else(|| {
        let expected =
            "up to 96 letters, digits, inner blanks and . _ : , + - = @ # & * ( ), a letter or digit first";
        wrong(text, expected)
    })
}

/// The text of a firewall rule, as far as that can be told without nft: one line of some length.
pub(crate) fn rule_text(text: &str) -> Result<String, String> {
    let text = text.trim_matches(' ');
    if let Some(at) = text.chars().position(|c| !c.is_ascii()) {
        let what = format!("ASCII only, in comments too; character {} is not", at + 1);
        return Err(wrong(text, &what));
    }
    let plain = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if text.is_empty() || text.len() > RULE_LENGTH || !plain {
        let expected = format!(
            "one line of up to {RULE_LENGTH} bytes in the language of nft, such as \
             tcp dport 22 accept"
        );
        return Err(wrong(text, &expected));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no field of a request may hold.
    const HOSTILE: [&str; 14] = [
        "",
        " ",
        "a b\n",
        "a\nb",
        "a\0",
        "a;b",
        "a'b",
        "a\"b",
        "$(id)",
        "`id`",
        "a{b}",
        "a/b",
        "-a",
        "é\u{202e}",
    ];

    fn all<T: std::fmt::Debug>(parse: fn(&str) -> Result<T, String>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(parse(text).is_ok(), "{text:?}: {:?}", parse(text));
        }
        for text in bad.iter().chain(&HOSTILE) {
            let why = parse(text).unwrap_err();
            assert!(!why.contains(char::is_control) && why.len() < 400, "{why:?}");
        }
    }

    #[test]
    fn a_description_is_a_plain_name_that_is_no_number() {
        let long = "x".repeat(65);
        let bad = ["1001", "cluster", "upstream", "storage", "a b", "_a", ".a", &long];
        all(description, &["office", "A.b_c-1", "1a", &long[1..]], &bad);
    }

    #[test]
    fn hosts_and_domains_are_made_of_labels() {
        let (label, long) = ("x".repeat(63), "x".repeat(64));
        all(hostname, &["web1", "WEB-1", "1", &label], &["a.b", "a-", "a_b", &long]);
        let deep = ["abcdefg"; 32].join(".");
        let bad = ["a..b", ".a", "a.", "a-.b", "a/b.local", "10.0.0.1", &long, &deep];
        all(domain, &["local", "office.local", "a-1.example.ORG", "my_net.local", &label], &bad);
    }

    #[test]
    fn a_size_of_packets_is_within_what_devices_take() {
        let bad =
            ["575", "65536", "1e3", "+1500", "01500x", "-1", "1450.0", "99999999999999999999"];
        all(mtu, &["576", "1450", "65535"], &bad);
    }

    #[test]
    fn a_network_is_written_by_its_first_address() {
        let bad = [
            "10.1.0.0",
            "10.1.0.5/24",
            "10.1.0.0/33",
            "10.1.0.0/31",
            "10.1.0.0/32",
            "10.0.0.0/7",
            "0.0.0.0/0",
            "10.1.0/24",
            "10.1.0.0/24 ",
            "10.01.0.0/24",
            "300.1.0.0/24",
            "fd00::/64",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "169.0.0.0/8",
            "169.254.169.0/24",
            "224.0.0.0/8",
            "240.0.0.0/8",
            "0.0.0.0/8",
            "10.1.0.0/255.255.255.0",
        ];
        all(network4, &["10.1.0.0/24", "10.0.0.0/8", "192.0.2.4/30", "169.253.0.0/16"], &bad);
        let why = network4("10.1.0.5/24").unwrap_err();
        assert_eq!(
            why,
            "'10.1.0.5/24' is not valid; expected the network's first address: 10.1.0.0/24"
        );
        let bad = [
            "fd00:1::",
            "fd00:1::1/64",
            "fd00:1::/63",
            "fd00:1::/65",
            "fe80::/64",
            "ff02::/64",
            "::/64",
            "::ffff:0:0/96",
            "10.1.0.0/24",
            "::1/128",
        ];
        all(network6, &["fd00:1::/64", "2001:db8:0:1::/64"], &bad);
    }

    #[test]
    fn addresses_are_of_their_own_kind() {
        all(address4, &["10.1.0.1"], &["10.1.0", "10.1.0.256", "10.1.0.1/24", "::1", "010.1.0.1"]);
        all(address6, &["fd00::1"], &["10.1.0.1", "fd00::1/64", "fd00::g", "fe80::1%eth0"]);
        let bad = ["52:54:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"];
        all(mac, &["52:54:00:00:00:01", "52:54:00:AA:bb:0C"], &bad);
    }

    #[test]
    fn name_servers_are_few_hosts_each_named_once() {
        let parse = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
            name_servers(&texts)
        };
        assert_eq!(parse(&[]), Ok(vec![]));
        assert_eq!(parse(&["10.0.0.1", "fd00::1"]).unwrap().len(), 2);
        assert_eq!(parse(&["10.0.0.1", "10.0.0.1"]).unwrap_err(), "'10.0.0.1' is given twice");
        for bad in
            [["10.0.0.1"; 9].as_slice(), &["0.0.0.0"], &["224.0.0.1"], &["a.b"], &["10.0.0.1;x"]]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_rule_is_one_line_with_a_plain_name() {
        let why = rule_text("drop comment \"zum Büro\"").unwrap_err();
        assert!(
            why.ends_with("expected ASCII only, in comments too; character 20 is not"),
            "{why}"
        );
        let long = "x".repeat(97);
        all(
            rule_name,
            &["ssh", "allow ssh: 22", "10.1", "http, https", "SSH (office)"],
            &["a ", " a", ".", "..", &long],
        );
        assert_eq!(rule_text(" tcp dport 22 accept ").unwrap(), "tcp dport 22 accept");
        for bad in ["", "  ", "accept\ndrop", "accept\r", "\tdrop", "é", &"x".repeat(4097)] {
            assert!(rule_text(bad).is_err(), "{bad:?}");
        }
    }
}
