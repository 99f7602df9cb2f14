//! The files that a network's dnsmasq reads.
//!
//! The form is one that sends router advertisements and still binds no wildcard address, so that
//! other servers of names can run beside it: `interface` with `bind-dynamic`, and without the
//! loopback device, which `interface` brings along. With `listen-address` alone there are no router
//! advertisements; without either form of binding every address of the machine is taken.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;
use pvc_common::id::Hostname;

use super::{Served, Served4, Served6};
use crate::dns::{Guarded, NOBODYS};
use crate::gateway::bridge;

/// How long an address of IPv4 is given away for.
const LEASE4: &str = "48h";
/// How long an address of IPv6 is given away for.
const LEASE6: &str = "24h";
/// How many leases of IPv6 a network may have: what a few thousand VMs need, for its addresses are
/// without number, and whoever asks for all of them shall not fill the tree.
const LEASES6: u64 = 4096;
/// No dnsmasq keeps more leases.
const MOST_LEASES: u64 = 65536;

/// Where the files, the helper and the cluster's name server are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The address at which the cluster's PowerDNS answers, if there is one: it knows the names of all
    /// networks.
    pub names: Option<IpAddr>,
    /// The program that keeps leases.
    pub helper: String,
    /// The network's own folder.
    pub folder: String,
}

/// What a network's dnsmasq reads. It reads them when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// `dnsmasq.conf`: its configuration.
    pub conf: String,
    /// `hosts`: the addresses that are kept for somebody.
    pub hosts: String,
    /// `names`: names and their addresses.
    pub names: String,
}

/// The files for what is served in a network whose packets are of at most `mtu` bytes, if that is
/// known.
#[must_use]
pub fn files(served: &Served, places: &Places, mtu: Option<u32>) -> Files {
    Files { conf: conf(served, places, mtu), hosts: hosts(served), names: names(served) }
}

fn conf(served: &Served, places: &Places, mtu: Option<u32>) -> String {
    let Served { vni, domain, forwarders, v4, v6, kept, guarded } = served;
    let Places { names, helper, folder } = places;
    let device = bridge(*vni);
    let mut lines = vec![
        format!("# Network {vni}, written by pvcnoded: changes are lost."),
        format!("interface={device}"),
        "except-interface=lo".to_owned(),
        "bind-dynamic".to_owned(),
        "no-hosts".to_owned(),
        format!("addn-hosts={folder}/names"),
        "domain-needed".to_owned(),
        "bogus-priv".to_owned(),
        "filterwin2k".to_owned(),
        "expand-hosts".to_owned(),
    ];
    if let Some(domain) = domain {
        lines.push(format!("domain={domain}"));
        // Its own leases come first. Without somebody who knows the domain's other names (those of
        // networks that share it, and of domains below it) there are none.
        lines.push(match names {
            Some(names) => format!("server=/{domain}/{names}"),
            None => format!("local=/{domain}/"),
        });
        // So with names of addresses, which `bogus-priv` would deny if they are private.
        let networks = [v4.map(|v4| v4.network.to_string()), v6.map(|v6| v6.network.to_string())];
        let asked = names.map(|names| {
            let ask = move |network| format!("rev-server={network},{names}");
            networks.into_iter().flatten().map(ask)
        });
        lines.extend(asked.into_iter().flatten());
    }
    if !forwarders.is_empty() {
        lines.push("no-resolv".to_owned());
        lines.extend(forwarders.iter().map(|server| format!("server={server}")));
    }
    let range = v4.and_then(|v4| v4.range);
    let size = range.map_or(0, |(start, end)| u64::from(end.to_bits() - start.to_bits()) + 1);
    let kept = u64::try_from(kept.len()).unwrap_or(MOST_LEASES);
    let size6 = if v6.is_some_and(|v6| v6.leases) { LEASES6 } else { 0 };
    let leases = (size + kept + size6).min(MOST_LEASES);
    if leases > 0 {
        lines.extend([
            "leasefile-ro".to_owned(),
            "script-on-renewal".to_owned(),
            format!("dhcp-script={helper}"),
            "dhcp-authoritative".to_owned(),
            format!("dhcp-lease-max={leases}"),
        ]);
        lines.extend(unsaid(guarded));
    }
    lines.extend(v4.iter().flat_map(|v4| conf4(v4, folder, mtu)));
    lines.extend(v6.iter().flat_map(conf6));
    lines.join("\n") + "\n"
}

/// Has no guest get a name by saying it that is nobody's, or somebody else's.
fn unsaid(guarded: &[Guarded]) -> Vec<String> {
    // With a domain behind it, a name is matched by a pattern only.
    let said = |tag: &str, name: &str| {
        [name.to_owned(), format!("{name}.*")]
            .map(|name| format!("dhcp-name-match=set:{tag},{name}"))
    };
    let (unowned, owned): (Vec<&Guarded>, Vec<&Guarded>) =
        guarded.iter().partition(|guarded| guarded.owners.is_empty());
    let nobodys = NOBODYS.into_iter().chain(unowned.iter().map(|guarded| guarded.name.as_str()));
    let mut lines: Vec<String> = nobodys.flat_map(|name| said("nobodys", name)).collect();
    lines.push("dhcp-ignore-names=tag:nobodys".to_owned());
    for Guarded { name, owners } in owned {
        lines.extend(said(&format!("says-{name}"), name.as_str()));
        lines.extend(owners.iter().map(|mac| format!("dhcp-mac=set:is-{name},{mac}")));
        lines.push(format!("dhcp-ignore-names=tag:says-{name},tag:!is-{name}"));
    }
    lines
}

fn conf4(v4: &Served4, folder: &str, mtu: Option<u32>) -> Vec<String> {
    let Served4 { gateway, network, range } = v4;
    let Some((start, end)) = range else { return Vec::new() };
    let mut lines = vec![
        format!("dhcp-range={start},{end},{},{LEASE4}", network.netmask()),
        format!("dhcp-hostsfile={folder}/hosts"),
    ];
    for option in ["router", "dns-server", "ntp-server"] {
        lines.push(format!("dhcp-option=option:{option},{gateway}"));
    }
    lines.extend(mtu.map(|mtu| format!("dhcp-option=option:mtu,{mtu}")));
    lines
}

/// Hosts make their own addresses in networks of 64 bits; elsewhere they can only be given some.
fn conf6(v6: &Served6) -> Vec<String> {
    let Served6 { gateway, network, leases } = v6;
    let (net, bits) = subnet(gateway, network);
    let first = Ipv6Addr::from_bits(net.network().to_bits() + 2);
    let last = net.broadcast();
    let range = match (leases, bits) {
        (true, 64) => format!("{first},{last},slaac,ra-names,{bits},{LEASE6}"),
        (true, _) => format!("{first},{last},{bits},{LEASE6}"),
        (false, _) => format!("{},ra-stateless,ra-names,{bits}", net.network()),
    };
    vec![
        "enable-ra".to_owned(),
        "quiet-ra".to_owned(),
        format!("dhcp-range={range}"),
        format!("dhcp-option=option6:dns-server,[{gateway}]"),
        format!("dhcp-option=option6:sntp-server,[{gateway}]"),
    ]
}

/// dnsmasq knows no networks of less than 64 bits: of such a one, the part with the gateway.
fn subnet(gateway: &Ipv6Addr, network: &Ipv6Net) -> (Ipv6Net, u8) {
    let bits = network.prefix_len().max(64);
    let net = Ipv6Net::new(*gateway, bits).map_or(*network, |net| net.trunc());
    (net, bits)
}

fn hosts(served: &Served) -> String {
    let mut text = String::new();
    for kept in &served.kept {
        // Writing to a text cannot fail.
        let _ = write!(text, "{},{}", kept.mac, kept.ip);
        // One that is left out is found by the address, in `names`.
        if let Some(name) = kept.hostname.as_ref().filter(|name| !is_order(name)) {
            let _ = write!(text, ",{name}");
        }
        text.push('\n');
    }
    text
}

/// Whether dnsmasq takes a word in a line of `hosts` for more than a name: that it shall not serve that
/// machine, or for how long (a number, perhaps with a unit).
fn is_order(name: &Hostname) -> bool {
    let name = name.as_str();
    let number = name.strip_suffix(['s', 'm', 'h', 'd', 'w']).filter(|number| !number.is_empty());
    let is_time = number.unwrap_or(name).bytes().all(|byte| byte.is_ascii_digit());
    is_time || matches!(name, "ignore" | "infinite")
}

/// The names that there are before anybody has a lease.
fn names(served: &Served) -> String {
    let mut text = String::new();
    for kept in &served.kept {
        let Some(name) = &kept.hostname else { continue };
        let whole = served.domain.as_ref().and_then(|domain| domain.host(name));
        let address = IpAddr::V4(kept.ip);
        let _ = match whole {
            Some(whole) => writeln!(text, "{address} {whole} {name}"),
            None => writeln!(text, "{address} {name}"),
        };
    }
    text
}
