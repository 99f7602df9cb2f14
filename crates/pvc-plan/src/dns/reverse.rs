//! The names of addresses: `in-addr.arpa` and `ip6.arpa`.
//!
//! A zone ends where a label does, which is at every byte of an IPv4 address and at every half byte
//! of an IPv6 one. A network that ends elsewhere has several zones; one that is smaller than the
//! smallest zone shares that with its neighbours.

use std::net::IpAddr;

use pvc_common::id::DnsName;
use pvc_common::model::Network;

/// How the labels of an address are made.
#[derive(Clone, Copy)]
struct Family {
    /// Bits of an address.
    bits: u32,
    /// Bits of a label.
    label: u32,
    /// What stands behind the labels.
    suffix: &'static str,
}

const IP4: Family = Family { bits: 32, label: 8, suffix: "in-addr.arpa" };
const IP6: Family = Family { bits: 128, label: 4, suffix: "ip6.arpa" };

impl Family {
    /// Bits of a network's prefix that its zones have: up to the next label, of which at least
    /// one is left to hosts.
    const fn zone_bits(self, prefix: u32) -> u32 {
        let bits = prefix.div_ceil(self.label) * self.label;
        let most = self.bits - self.label;
        if bits < self.label {
            self.label
        } else if bits > most {
            most
        } else {
            bits
        }
    }

    /// The name of the first `bits` bits of an address, which is given as a number.
    fn name(self, address: u128, bits: u32) -> DnsName {
        let mut name = String::new();
        for label in (0..bits / self.label).rev() {
            let shift = self.bits - (label + 1) * self.label;
            let value = (address >> shift) & ((1 << self.label) - 1);
            let label = if self.label == 8 { format!("{value}.") } else { format!("{value:x}.") };
            name.push_str(&label);
        }
        name.push_str(self.suffix);
        name.parse().expect("digits with dots between them are a name, and of 72 bytes at most")
    }

    fn zones(self, network: u128, prefix: u32) -> Vec<DnsName> {
        let bits = self.zone_bits(prefix);
        let count = 1u128 << bits.saturating_sub(prefix);
        let step = 1u128 << (self.bits - bits);
        (0..count).map(|n| self.name(network + n * step, bits)).collect()
    }
}

fn number(address: IpAddr) -> (Family, u128) {
    match address {
        IpAddr::V4(address) => (IP4, u128::from(u32::from(address))),
        IpAddr::V6(address) => (IP6, u128::from(address)),
    }
}

/// A network's zones for its addresses.
pub(super) fn zones(network: &Network) -> Vec<DnsName> {
    let ip4 = network.ip4_network.copied().flatten();
    let ip6 = network.ip6_network.copied().flatten();
    let ip4 = ip4.map(|net| (IpAddr::V4(net.network()), net.prefix_len()));
    let ip6 = ip6.map(|net| (IpAddr::V6(net.network()), net.prefix_len()));
    let of = |(address, prefix): (IpAddr, u8)| {
        let (family, number) = number(address);
        family.zones(number, u32::from(prefix))
    };
    ip4.into_iter().chain(ip6).flat_map(of).collect()
}

/// The zone in which an address of a network is found, and its name there; `None` if the network
/// does not have that address.
pub(super) fn place(network: &Network, address: IpAddr) -> Option<(DnsName, DnsName)> {
    let prefix = match address {
        IpAddr::V4(address) => {
            let net = network.ip4_network.copied().flatten()?;
            net.contains(&address).then(|| net.prefix_len())?
        }
        IpAddr::V6(address) => {
            let net = network.ip6_network.copied().flatten()?;
            net.contains(&address).then(|| net.prefix_len())?
        }
    };
    let (family, number) = number(address);
    let bits = family.zone_bits(u32::from(prefix));
    Some((family.name(number, bits), family.name(number, family.bits)))
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Seen, Text, Version};

    use super::*;

    fn seen<T: Text>(text: &str) -> Seen<T> {
        Seen::read(Some((text.as_bytes(), Version(0))))
    }

    fn network(net: &str) -> Network {
        match net.contains(':') {
            true => Network { ip6_network: seen(net), ..Network::default() },
            false => Network { ip4_network: seen(net), ..Network::default() },
        }
    }

    #[track_caller]
    fn check(net: &str, expected: &[&str]) {
        let zones: Vec<String> = zones(&network(net)).iter().map(DnsName::to_string).collect();
        assert_eq!(zones, expected, "{net}");
    }

    #[test]
    fn a_networks_zones_end_where_labels_do() {
        check("10.0.0.0/8", &["10.in-addr.arpa"]);
        check("10.20.0.0/16", &["20.10.in-addr.arpa"]);
        check("10.20.30.0/24", &["30.20.10.in-addr.arpa"]);
        check("10.20.30.0/23", &["30.20.10.in-addr.arpa", "31.20.10.in-addr.arpa"]);
        check("10.20.30.64/26", &["30.20.10.in-addr.arpa"]);
        check("10.20.30.64/32", &["30.20.10.in-addr.arpa"]);
        check("fd00:1::/32", &["1.0.0.0.0.0.d.f.ip6.arpa"]);
        check("fd00:12::/31", &["2.1.0.0.0.0.d.f.ip6.arpa", "3.1.0.0.0.0.d.f.ip6.arpa"]);
        assert_eq!(zones(&network("10.0.0.0/17")).len(), 128);
        assert_eq!(zones(&network("fd00::/126")).len(), 1);
    }

    #[test]
    fn an_address_is_found_in_a_zone_of_its_network() {
        for (net, address, name) in [
            ("10.20.30.0/23", "10.20.31.7", "7.31.20.10.in-addr.arpa"),
            ("10.20.0.0/16", "10.20.31.7", "7.31.20.10.in-addr.arpa"),
            (
                "fd00:1::/64",
                "fd00:1::a:7",
                "7.0.0.0.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa",
            ),
        ] {
            let network = network(net);
            let (zone, pointer) = place(&network, address.parse().unwrap()).unwrap();
            assert!(zones(&network).contains(&zone), "{zone}");
            assert!(pointer.as_str().ends_with(&format!(".{zone}")), "{zone}");
            assert_eq!(pointer.as_str(), name);
        }
        for other in ["10.20.40.1", "fd00::1"] {
            assert_eq!(place(&network("10.20.30.0/24"), other.parse().unwrap()), None);
        }
    }
}
