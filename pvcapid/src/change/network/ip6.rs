//! The IPv6 addresses of a network.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use pvc_common::id::Vni;
use pvc_common::model::Network;
use pvc_common::zk::key;

use super::writes::Writes;
use super::{Given, refuse, settled};
use crate::api::ApiError;

/// What is asked of the IPv6 addresses of a network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ip6Wish {
    /// The network.
    pub(crate) network: Given<Ipv6Net>,
    /// The gateway.
    pub(crate) gateway: Given<Ipv6Addr>,
}

impl Ip6Wish {
    /// Whether anything is asked.
    pub(super) fn is_any(&self) -> bool {
        self.network.is_some() || self.gateway.is_some()
    }

    /// Whether anything is asked that only a managed network can have.
    pub(super) fn wants_any(&self) -> bool {
        self.network.flatten().is_some() || self.gateway.flatten().is_some()
    }
}

/// The IPv6 addresses of a network, as they are or shall be. Where there is a network, there is DHCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ip6 {
    pub(super) network: Option<Ipv6Net>,
    pub(super) gateway: Option<Ipv6Addr>,
}

impl Ip6 {
    /// Those of a network as it is, with what is asked; refused where that depends on what cannot be
    /// understood. A gateway that is not given is the network's first address, and goes with it.
    pub(super) fn asked(was: &Network, wish: &Ip6Wish) -> Result<Self, ApiError> {
        let network = settled(wish.network, &was.ip6_network, "IPv6 network")?;
        let gateway = settled(wish.gateway, &was.ip6_gateway, "IPv6 gateway")?;
        if wish.gateway.is_some() || wish.network.is_none() {
            return Ok(Self { network, gateway });
        }
        let kept = |network: Ipv6Net| gateway.filter(|gateway| network.contains(gateway));
        let gateway = network.map(|network| kept(network).unwrap_or_else(|| first(network)));
        Ok(Self { network, gateway })
    }

    /// Whether they go together.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        match (self.network, self.gateway) {
            (_, None) => Ok(()),
            (None, Some(_)) => {
                let why = "There is an IPv6 gateway, but no IPv6 network for it.";
                refuse("no-ip6-network", why)
            }
            (Some(network), Some(gateway)) => {
                if network.contains(&gateway) && gateway != network.network() {
                    return Ok(());
                }
                let why = format!(
                    "IPv6 gateway '{gateway}' is no host's in network '{network}'; expected one \
                     such as {}.",
                    first(network)
                );
                refuse("outside-network", why)
            }
        }
    }

    /// Writes them where they are not so already, on the condition that nothing changed meanwhile.
    pub(super) fn write(&self, vni: Vni, was: &Network, writes: &mut Writes) {
        writes.put(&key::network_ip6_network(vni), &was.ip6_network, &self.network);
        writes.put(&key::network_ip6_gateway(vni), &was.ip6_gateway, &self.gateway);
        writes.put(&key::network_dhcp6(vni), &was.dhcp6, &self.network.is_some());
    }
}

/// The first address of a host.
fn first(network: Ipv6Net) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(network.network()) + 1)
}
