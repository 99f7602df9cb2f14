//! Networks as clients are shown them.

use pvc_common::api;
use pvc_common::id::{MacAddress, RuleName, Vni};
use pvc_common::model::{Lease, Lease6, Network, Reservation, Rule};
use pvc_common::state::{NetworkType, Word};
use pvc_common::view as cluster;
use pvc_common::zk::key::Direction;
use pvc_common::zk::{Seen, Text};

/// How a client knows that an address is kept and not leased.
const STATIC: &str = "static";

/// What is unset and what cannot be understood look the same to clients.
fn text<T: Text + Default>(seen: &Seen<T>) -> String {
    seen.get().map_or_else(|| T::default().encode(), Text::encode)
}

/// A network, as the nodes of `view` carry it.
pub(crate) fn network(vni: Vni, network: &Network, view: &cluster::View) -> api::Network {
    let in_force = mtu_in_force(network, view).map(|mtu| mtu.to_string());
    let servers = network.name_servers.get().into_iter().flatten();
    api::Network {
        vni: vni.get(),
        description: network.description.get().cloned().unwrap_or_default(),
        kind: network.kind.copied().map_or("", Word::text).to_owned(),
        mtu: text(&network.mtu),
        mtu_in_force: in_force.unwrap_or_default(),
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

/// What was asked for, or what fits, whichever is less; nodes that differ would be a fault of theirs.
fn mtu_in_force(network: &Network, view: &cluster::View) -> Option<u32> {
    let kind = network.kind.copied()?;
    let told = view.nodes.values().filter_map(|node| {
        let presence = node.liveness.presence.get()?;
        match kind {
            NetworkType::Managed => presence.managed_mtu,
            NetworkType::Bridged => presence.bridged_mtu,
        }
    });
    let fits = told.min()?;
    Some(network.mtu.copied().flatten().map_or(fits, |asked| asked.min(fits)))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pvc_common::model::{Liveness, Node, Presence};

    use super::*;

    fn seen<T>(value: T) -> Seen<T> {
        Seen::Value { value, version: pvc_common::zk::Version(0) }
    }

    #[test]
    fn a_networks_packets_are_as_large_as_every_node_can_carry_and_no_larger_than_asked_for() {
        let mut view = cluster::View::default();
        let shown = |kind, asked, view: &cluster::View| {
            let network = Network { kind: seen(kind), mtu: seen(asked), ..Network::default() };
            super::network("1001".parse().unwrap(), &network, view).mtu_in_force
        };
        assert_eq!(shown(NetworkType::Managed, None, &view), "", "nobody has told");
        for (name, managed_mtu) in [("hv1", Some(8_950)), ("hv2", Some(1_450)), ("hv3", None)] {
            let presence =
                seen(Presence { managed_mtu, bridged_mtu: Some(1_500), ..Presence::default() });
            let liveness = Liveness { presence, ..Liveness::default() };
            let node = Node { liveness, ..Node::default() };
            view.nodes.insert(name.parse().unwrap(), Arc::new(node));
        }
        for (kind, asked, in_force) in [
            (NetworkType::Managed, None, "1450"),
            (NetworkType::Managed, Some(1_400), "1400"),
            (NetworkType::Managed, Some(9_000), "1450"),
            (NetworkType::Bridged, None, "1500"),
        ] {
            assert_eq!(shown(kind, asked, &view), in_force, "{kind:?} {asked:?}");
        }
    }
}
