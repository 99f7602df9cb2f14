//! This node's own networks: what has to change so that they are as configured.
//!
//! Pure: [`plan`] compares the configuration with what was seen, so a daemon that restarts on a
//! node whose networks are in order plans nothing and disturbs nobody.
//!
//! ```text
//!   ens4 ──port of──▶ brcluster   10.0.0.1/24            networks with a device of their own
//!   ens5 ──port of──▶ brupstream  192.0.2.1/24           have a bridge of their own;
//!   ens4 ───────────▶ brcluster   10.0.1.1/24 (storage)  a shared device has one for all
//! ```

use pvc_host::{DefaultRoute, Link, LinkStep, LinkTable};

use crate::config::{Network, NetworkName, Networks};

/// What has to be done for one network, in order. If a step fails, the rest makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPlan {
    /// The network.
    pub name: NetworkName,
    /// Its steps; none if it is in order.
    pub steps: Vec<LinkStep>,
}

/// What has to change, network by network.
#[must_use]
pub fn plan(networks: &Networks, seen: &LinkTable) -> Vec<NetworkPlan> {
    let plan = |network: &Network| {
        let mut steps = Vec::new();
        if networks.owner(network).name == network.name {
            bridge(network, seen, &mut steps);
        }
        address(networks, network, seen, &mut steps);
        NetworkPlan { name: network.name, steps }
    };
    networks.all().map(plan).into()
}

/// A bridge that holds the device, both with the right packet size and switched on.
fn bridge(network: &Network, seen: &LinkTable, steps: &mut Vec<LinkStep>) {
    let Network { device, mtu, .. } = network;
    let name = network.name.bridge();
    let link = |name: &str| seen.links.get(name);
    let has_mtu = |link: &Link| link.mtu == *mtu;
    if !link(device).is_some_and(has_mtu) {
        steps.push(LinkStep::Mtu { device: device.clone(), mtu: *mtu });
    }
    if !link(device).is_some_and(|link| link.up) {
        steps.push(LinkStep::Up { device: device.clone() });
    }
    if !link(name).is_some_and(|link| link.up) {
        steps.push(LinkStep::Bridge { name: name.to_owned(), like: device.clone() });
    }
    if link(device).and_then(|link| link.bridge_port_of.as_deref()) != Some(name) {
        let (device, bridge) = (device.clone(), name.to_owned());
        steps.push(LinkStep::Enslave { device, bridge });
    }
    if !link(name).is_some_and(has_mtu) {
        steps.push(LinkStep::Mtu { device: name.to_owned(), mtu: *mtu });
    }
}

/// This node's address, and the way out of the upstream network.
fn address(networks: &Networks, network: &Network, seen: &LinkTable, steps: &mut Vec<LinkStep>) {
    let Some(address) = network.address else {
        return;
    };
    let carrier = networks.carrier(network);
    let has =
        |name: &str| seen.links.get(name).is_some_and(|link| link.addresses.contains(&address));
    if !has(carrier) {
        steps.push(LinkStep::AddAddress { device: carrier.to_owned(), address });
    }
    // What the installer gave to the device would answer by a port that carries no traffic.
    if has(&network.device) {
        steps.push(LinkStep::RemoveAddress { device: network.device.clone(), address });
    }
    let way_out = network.gateway.filter(|_| network.name == NetworkName::Upstream);
    if let Some(gateway) = way_out {
        let route = DefaultRoute { gateway, device: carrier.to_owned() };
        if seen.default_routes.first() != Some(&route) {
            steps.push(LinkStep::DefaultRoute(route));
        }
    }
}

/// The kernel's settings that forwarding between networks needs.
///
/// Upstream also lets senders choose the route of their packets (`accept_source_route`), which
/// nothing needs and attackers like; that is left as it is.
#[must_use]
pub fn settings(networks: &Networks) -> Vec<(String, &'static str)> {
    let mut settings: Vec<(String, &'static str)> = [
        ("net/ipv4/ip_forward", "1"),
        ("net/ipv6/conf/all/forwarding", "1"),
        ("net/ipv4/conf/all/send_redirects", "1"),
        ("net/ipv4/conf/default/send_redirects", "1"),
        // Otherwise the removal of a floating address can take the node's own one with it.
        ("net/ipv4/conf/all/promote_secondaries", "1"),
        ("net/ipv4/conf/default/promote_secondaries", "1"),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    // Answers may leave by another network than the one that questions come in by.
    let mut lax = Vec::new();
    for network in [&networks.cluster, &networks.upstream] {
        for device in [network.device.as_str(), networks.carrier(network)] {
            if !lax.contains(&device) {
                lax.push(device);
            }
        }
    }
    settings
        .extend(lax.into_iter().map(|device| (format!("net/ipv4/conf/{device}/rp_filter"), "0")));
    settings
}

#[cfg(test)]
mod tests {
    use pvc_host::Links;
    use pvc_host::fake::FakeHost;

    use super::*;

    fn network(name: NetworkName, device: &str, net: u8, mtu: u32) -> Network {
        Network {
            name,
            domain: None,
            subnet: format!("10.{net}.0.0/24").parse().unwrap(),
            floating: None,
            gateway: None,
            device: device.to_owned(),
            mtu,
            address: Some(format!("10.{net}.0.1/24").parse().unwrap()),
        }
    }

    fn networks(upstream: &str, cluster: &str, storage: &str) -> Networks {
        let mut upstream = network(NetworkName::Upstream, upstream, 1, 1500);
        upstream.gateway = Some("10.1.0.254".parse().unwrap());
        Networks {
            upstream,
            cluster: network(NetworkName::Cluster, cluster, 2, 9000),
            storage: network(NetworkName::Storage, storage, 3, 9000),
        }
    }

    async fn bring_up(networks: &Networks, host: &FakeHost) {
        for network in plan(networks, &host.links()) {
            for step in network.steps {
                host.apply(&step).await.unwrap_or_else(|error| panic!("{step}: {error}"));
            }
        }
    }

    fn nothing_left(networks: &Networks, host: &FakeHost) -> bool {
        plan(networks, &host.links()).iter().all(|network| network.steps.is_empty())
    }

    #[tokio::test]
    async fn each_network_with_a_device_has_its_bridge_and_address() {
        let (host, networks) = (FakeHost::new(), networks("eno1", "eno2", "eno3"));
        ["eno1", "eno2", "eno3"].into_iter().for_each(|device| host.plug_in(device));
        bring_up(&networks, &host).await;
        let table = host.links();
        for network in networks.all() {
            let (bridge, port) =
                (&table.links[network.name.bridge()], &table.links[&network.device]);
            assert_eq!(bridge.addresses, [network.address.unwrap()]);
            assert_eq!((bridge.up, bridge.mtu), (true, network.mtu));
            assert_eq!(port.bridge_port_of.as_deref(), Some(network.name.bridge()));
            assert_eq!((port.up, port.mtu), (true, network.mtu));
        }
        assert_eq!(table.default_routes[0].device, "brupstream");
        assert!(nothing_left(&networks, &host), "a restart must change nothing");
    }

    #[tokio::test]
    async fn networks_that_share_a_device_share_a_bridge() {
        let (host, networks) = (FakeHost::new(), networks("ens4", "ens4", "ens4"));
        host.plug_in("ens4");
        bring_up(&networks, &host).await;
        let table = host.links();
        assert_eq!(table.links["brcluster"].addresses.len(), 3);
        assert!(!table.links.contains_key("brstorage") && !table.links.contains_key("brupstream"));
        assert_eq!(table.default_routes[0].device, "brcluster");
        assert!(nothing_left(&networks, &host));
    }

    #[test]
    fn a_device_shared_by_storage_and_upstream_only_is_in_the_storage_bridge() {
        let networks = networks("ens5", "ens4", "ens5");
        assert_eq!(networks.carrier(&networks.upstream), "brstorage");
        assert_eq!(networks.carrier(&networks.storage), "brstorage");
        assert_eq!(networks.carrier(&networks.cluster), "brcluster");
    }

    #[tokio::test]
    async fn what_the_installer_gave_to_the_device_moves_to_the_bridge() {
        let (host, networks) = (FakeHost::new(), networks("eno1", "eno2", "eno3"));
        ["eno1", "eno2", "eno3"].into_iter().for_each(|device| host.plug_in(device));
        let address = networks.upstream.address.unwrap();
        let installer = [
            LinkStep::AddAddress { device: "eno1".to_owned(), address },
            LinkStep::DefaultRoute(DefaultRoute {
                gateway: networks.upstream.gateway.unwrap(),
                device: "eno1".to_owned(),
            }),
        ];
        for step in installer {
            host.apply(&step).await.unwrap();
        }
        bring_up(&networks, &host).await;
        let table = host.links();
        assert!(table.links["eno1"].addresses.is_empty());
        assert_eq!(table.links["brupstream"].addresses, [address]);
        assert_eq!(table.default_routes[0].device, "brupstream");
    }

    #[tokio::test]
    async fn floating_addresses_of_the_primary_are_left_alone() {
        let (host, networks) = (FakeHost::new(), networks("eno1", "eno2", "eno3"));
        ["eno1", "eno2", "eno3"].into_iter().for_each(|device| host.plug_in(device));
        bring_up(&networks, &host).await;
        let floating = "10.2.0.250/24".parse().unwrap();
        let step = LinkStep::AddAddress { device: "brcluster".to_owned(), address: floating };
        host.apply(&step).await.unwrap();
        assert!(nothing_left(&networks, &host));
    }

    #[test]
    fn a_network_without_an_address_has_a_bridge_but_no_way_out() {
        let mut networks = networks("eno1", "eno2", "eno3");
        networks.upstream.address = None;
        let all = plan(&networks, &LinkTable::default());
        let steps = &all.last().unwrap().steps;
        assert!(steps.iter().any(|step| matches!(step, LinkStep::Bridge { .. })));
        assert!(!steps.iter().any(|step| {
            matches!(step, LinkStep::AddAddress { .. } | LinkStep::DefaultRoute(_))
        }));
    }

    #[test]
    fn answers_may_come_by_another_network() {
        let settings = settings(&networks("eno1", "eno2", "eno3"));
        let lax: Vec<&str> = settings
            .iter()
            .filter_map(|(key, _)| key.strip_prefix("net/ipv4/conf/")?.strip_suffix("/rp_filter"))
            .collect();
        assert_eq!(lax, ["eno2", "brcluster", "eno1", "brupstream"]);
    }
}
