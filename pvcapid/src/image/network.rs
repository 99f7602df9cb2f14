//! Networks as clients are shown them.

use pvc_common::api;
use pvc_common::id::{MacAddress, RuleName, Vni};
use pvc_common::model::{Lease, Lease6, Network, Reservation, Rule};
use pvc_common::state::Word;
use pvc_common::zk::key::Direction;
use pvc_common::zk::{Seen, Text};

/// How a client knows that an address is kept and not leased.
const STATIC: &str = "static";

/// What is unset and what cannot be understood look the same to clients.
fn text<T: Text + Default>(seen: &Seen<T>) -> String {
    seen.get().map_or_else(|| T::default().encode(), Text::encode)
}

/// A network.
pub(crate) fn network(vni: Vni, network: &Network) -> api::Network {
    let servers = network.name_servers.get().into_iter().flatten();
    api::Network {
        vni: vni.get(),
        description: network.description.get().cloned().unwrap_or_default(),
        kind: network.kind.copied().map_or("", Word::text).to_owned(),
        mtu: text(&network.mtu),
        domain: text(&network.domain),
        name_servers: servers.map(ToString::to_string).collect(),
        ip6: api::NetworkIp6 {
            network: text(&network.ip6_network),
            gateway: text(&network.ip6_gateway),
            dhcp_flag: text(&network.dhcp6),
        },
        ip4: api::NetworkIp4 {
            network: text(&network.ip4_network),
            gateway: text(&network.ip4_gateway),
            dhcp_flag: text(&network.dhcp4),
            dhcp_start: text(&network.dhcp4_start),
            dhcp_end: text(&network.dhcp4_end),
        },
    }
}

/// The addresses that a network keeps and, unless `only_static`, those that DHCP gave away.
pub(crate) fn leases(network: &Network, only_static: bool) -> Vec<api::NetworkLease> {
    let reserved = network.reservations.iter().map(|(mac, Reservation { ip, hostname, .. })| {
        lease(*mac, text(ip), text(hostname), STATIC.to_owned())
    });
    let leased = network.leases.iter().filter(|_| !only_static);
    let leased = leased.map(|(mac, Lease { ip, hostname, expiry, .. })| {
        lease(*mac, text(ip), text(hostname), text(expiry))
    });
    let leased6 = network.leases6.iter().filter(|_| !only_static);
    let leased6 = leased6.map(|(ip, Lease6 { hostname, expiry, mac, .. })| api::NetworkLease {
        hostname: text(hostname),
        ip4_address: String::new(),
        ip6_address: ip.to_string(),
        mac_address: text(mac),
        timestamp: text(expiry),
    });
    reserved.chain(leased).chain(leased6).collect()
}

fn lease(
    mac: MacAddress,
    ip4_address: String,
    hostname: String,
    timestamp: String,
) -> api::NetworkLease {
    api::NetworkLease {
        hostname,
        ip4_address,
        ip6_address: String::new(),
        mac_address: mac.to_string(),
        timestamp,
    }
}

/// The firewall rules of a network, in their order.
pub(crate) fn rules(network: &Network) -> Vec<(&RuleName, Direction, api::NetworkAcl)> {
    let both = Direction::ALL.iter().flat_map(|&direction| {
        let rules = network.rules_in_order(direction).into_iter().enumerate();
        rules.map(move |(at, (name, rule))| (name, direction, acl(name, direction, at, rule)))
    });
    both.collect()
}

fn acl(name: &RuleName, direction: Direction, at: usize, rule: &Rule) -> api::NetworkAcl {
    api::NetworkAcl {
        direction: direction.text().to_owned(),
        order: rule.order.copied().unwrap_or_else(|| u32::try_from(at).unwrap_or(u32::MAX)),
        description: name.to_string(),
        rule: rule.rule.get().cloned().unwrap_or_default(),
    }
}
