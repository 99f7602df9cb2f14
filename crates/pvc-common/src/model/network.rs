//! A client network as the tree holds it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::id::{MacAddress, RuleName};
use crate::state::NetworkType;
use crate::zk::Seen;
use crate::zk::key::Direction;

/// A client network as the tree holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// Its name for people, unique in the cluster.
    pub description: Seen<String>,
    /// How it is carried between the nodes.
    pub kind: Seen<NetworkType>,
    /// Size of its packets; unset for the greatest that fits.
    pub mtu: Seen<Option<u32>>,
    /// Its DNS domain.
    pub domain: Seen<Option<String>>,
    /// Name servers that know what this network's own does not; none for those of the nodes.
    pub name_servers: Seen<Vec<IpAddr>>,
    /// Its IPv4 network.
    pub ip4_network: Seen<Option<Ipv4Net>>,
    /// Its IPv4 gateway: a floating address of the primary.
    pub ip4_gateway: Seen<Option<Ipv4Addr>>,
    /// Whether its VMs get IPv4 addresses by DHCP.
    pub dhcp4: Seen<bool>,
    /// First address that DHCP gives away.
    pub dhcp4_start: Seen<Option<Ipv4Addr>>,
    /// Last address that DHCP gives away.
    pub dhcp4_end: Seen<Option<Ipv4Addr>>,
    /// Its IPv6 network.
    pub ip6_network: Seen<Option<Ipv6Net>>,
    /// Its IPv6 gateway: a floating address of the primary.
    pub ip6_gateway: Seen<Option<Ipv6Addr>>,
    /// Whether its VMs get IPv6 addresses by DHCP.
    pub dhcp6: Seen<bool>,
    /// Addresses that are kept for one VM.
    pub reservations: BTreeMap<MacAddress, Reservation>,
    /// Addresses that DHCP gave away.
    pub leases: BTreeMap<MacAddress, Lease>,
    /// IPv6 addresses that DHCP gave away.
    pub leases6: BTreeMap<Ipv6Addr, Lease6>,
    /// Firewall rules for what enters it.
    pub rules_in: BTreeMap<RuleName, Rule>,
    /// Firewall rules for what leaves it.
    pub rules_out: BTreeMap<RuleName, Rule>,
}

impl Network {
    /// Whether an address is one of its own; `None` where it cannot be understood which those are.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> Option<bool> {
        match address {
            IpAddr::V4(ip) => {
                self.ip4_network.copied().map(|own| own.is_some_and(|own| own.contains(&ip)))
            }
            IpAddr::V6(ip) => {
                self.ip6_network.copied().map(|own| own.is_some_and(|own| own.contains(&ip)))
            }
        }
    }

    /// Its firewall rules of one direction.
    #[must_use]
    pub const fn rules(&self, direction: Direction) -> &BTreeMap<RuleName, Rule> {
        match direction {
            Direction::In => &self.rules_in,
            Direction::Out => &self.rules_out,
        }
    }

    /// Its firewall rules of one direction in their order. Of those in the same place the name
    /// decides; those whose place cannot be understood come last.
    #[must_use]
    pub fn rules_in_order(&self, direction: Direction) -> Vec<(&RuleName, &Rule)> {
        let mut rules: Vec<_> = self.rules(direction).iter().collect();
        rules.sort_by_key(|(_, rule)| rule.order.copied().map_or((true, 0), |at| (false, at)));
        rules
    }
}

/// An address that is kept for one VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// That it is there.
    pub znode: Seen<()>,
    /// The address.
    pub ip: Seen<Option<Ipv4Addr>>,
    /// The name that goes with it.
    pub hostname: Seen<Option<String>>,
}

/// An address that DHCP gave away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// That it is there.
    pub znode: Seen<()>,
    /// The address.
    pub ip: Seen<Option<Ipv4Addr>>,
    /// The name its holder gave itself.
    pub hostname: Seen<Option<String>>,
    /// When it ends, in UNIX seconds by the clock of the primary.
    pub expiry: Seen<u64>,
    /// How its holder identified itself.
    pub client_id: Seen<String>,
}

/// An IPv6 address that DHCP gave away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease6 {
    /// That it is there.
    pub znode: Seen<()>,
    /// How its holder identified itself.
    pub duid: Seen<String>,
    /// Which of its holder's interfaces it is for.
    pub iaid: Seen<u32>,
    /// The name its holder gave itself.
    pub hostname: Seen<Option<String>>,
    /// When it ends, in UNIX seconds by the clock of the primary.
    pub expiry: Seen<u64>,
    /// The hardware address it was asked from, where that was seen.
    pub mac: Seen<Option<MacAddress>>,
}

/// A firewall rule of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// That it is there.
    pub znode: Seen<()>,
    /// What it matches and what becomes of that, in the language of nft.
    pub rule: Seen<String>,
    /// Its place among the rules of its direction, counted from 0.
    pub order: Seen<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zk::Version;

    #[test]
    fn a_network_has_the_addresses_that_are_within_it() {
        let read = |text: &str| Seen::read(Some((text.as_bytes(), Version(0))));
        let network = Network { ip4_network: read("10.1.0.0/24"), ..Network::default() };
        let has = |network: &Network, ip: &str| network.has(ip.parse().unwrap());
        assert_eq!(has(&network, "10.1.0.255"), Some(true));
        assert_eq!(has(&network, "10.1.1.0"), Some(false));
        assert_eq!(has(&network, "fd00::1"), None, "nothing tells");
        let network = Network {
            ip4_network: read("10.1"),
            ip6_network: Seen::read(Some((b"fd00::/64", Version(0)))),
            ..Network::default()
        };
        assert_eq!(has(&network, "10.1.0.1"), None);
        assert_eq!(has(&network, "fd00::1"), Some(true));
        assert_eq!(has(&network, "fd01::1"), Some(false));
        let without = Network { ip4_network: read("None"), ..Network::default() };
        assert_eq!(has(&without, "10.1.0.1"), Some(false));
    }

    #[test]
    fn rules_are_in_the_order_of_their_numbers() {
        let rule = |order: &str| Rule {
            order: Seen::read(Some((order.as_bytes(), Version(0)))),
            ..Rule::default()
        };
        let rules = [("z", "2"), ("a", "10"), ("odd", "first"), ("b", "2")];
        let rules_in = rules.map(|(name, order)| (name.parse().unwrap(), rule(order))).into();
        let network = Network { rules_in, ..Network::default() };
        let names = network.rules_in_order(Direction::In).into_iter();
        let names: Vec<_> = names.map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["b", "z", "a", "odd"]);
        assert!(network.rules_in_order(Direction::Out).is_empty());
    }
}
