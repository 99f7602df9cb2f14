//! The gateways of managed networks: which addresses a primary has on the networks' bridges.
//!
//! Invariant: whatever is on a network's bridge is what the network's gateways are; a primary adds
//! what is missing and removes the rest, and any other node removes all of it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv6Net};
use pvc_common::id::Vni;
use pvc_common::model::Network;
use pvc_common::state::NetworkType;
use pvc_common::view::View;

/// The address that hosts of IPv6 know their router by. The same on every primary, so that they
/// need not learn another one when the primary moves.
pub const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

/// The addresses of bridges, by device.
pub type Addresses = BTreeMap<String, BTreeSet<IpNet>>;

/// A change of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The bridge shall have it.
    Add {
        /// The bridge.
        device: String,
        /// The address with its network's prefix.
        address: IpNet,
    },
    /// The bridge shall not have it.
    Remove {
        /// The bridge.
        device: String,
        /// The address with its prefix.
        address: IpNet,
    },
}

/// The bridge of a network.
#[must_use]
pub fn bridge(vni: Vni) -> String {
    format!("vmbr{vni}")
}

/// Whether a device is the bridge of some network, which is ours whatever is on it.
#[must_use]
pub fn is_bridge(device: &str) -> bool {
    device.strip_prefix("vmbr").is_some_and(|vni| vni.parse::<Vni>().is_ok())
}

/// Whether an address on a bridge is one that this module decides about: what the kernel gives
/// itself to talk on the wire is not.
#[must_use]
pub fn is_decided(address: &IpNet) -> bool {
    match address {
        IpNet::V4(_) => true,
        IpNet::V6(address) => {
            let address = address.addr();
            address == ROUTER || !address.is_unicast_link_local()
        }
    }
}

/// The gateways of one network, each with its network's prefix; none of one that is not managed.
///
/// A gateway outside its network, or without one, is nobody's gateway and left out.
#[must_use]
pub fn of(network: &Network) -> BTreeSet<IpNet> {
    if network.kind.copied() != Some(NetworkType::Managed) {
        return BTreeSet::new();
    }
    let v4 = network.ip4_gateway.copied().flatten().zip(network.ip4_network.copied().flatten());
    let v4 = v4.filter(|(gateway, network)| network.contains(gateway));
    let v4 =
        v4.and_then(|(gateway, network)| IpNet::new(gateway.into(), network.prefix_len()).ok());
    let v6 = network.ip6_gateway.copied().flatten().zip(network.ip6_network.copied().flatten());
    let v6 = v6.filter(|(gateway, network)| network.contains(gateway));
    let v6 = v6.and_then(|(gateway, network)| Ipv6Net::new(gateway, network.prefix_len()).ok());
    let router = v6.and_then(|_| Ipv6Net::new(ROUTER, 64).ok());
    v4.into_iter().chain([v6, router].into_iter().flatten().map(IpNet::V6)).collect()
}

/// What a primary has on the bridges of all networks.
#[must_use]
pub fn wanted(view: &View) -> Addresses {
    let all = view.networks.iter().map(|(vni, network)| (bridge(*vni), of(network)));
    all.filter(|(_, addresses)| !addresses.is_empty()).collect()
}

/// What has to change on the bridges that are there: what is in the way goes first, for it may
/// be wanted on another bridge. A bridge that is not there yet is seen to when it is.
#[must_use]
pub fn plan(wanted: &Addresses, seen: &Addresses) -> Vec<Step> {
    let none = BTreeSet::new();
    let bridges = || seen.iter().filter(|(device, _)| is_bridge(device));
    let of = |device: &String| wanted.get(device).unwrap_or(&none);
    let removed = bridges().flat_map(|(device, present)| {
        let surplus = present.difference(of(device)).filter(|address| is_decided(address));
        surplus.map(|address| Step::Remove { device: device.clone(), address: *address })
    });
    let added = bridges().flat_map(|(device, present)| {
        let missing = of(device).difference(present);
        missing.map(|address| Step::Add { device: device.clone(), address: *address })
    });
    removed.chain(added).collect()
}
