//! The IPv4 addresses of a network.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use pvc_common::id::Vni;
use pvc_common::model::Network;
use pvc_common::zk::key;

use super::writes::Writes;
use super::{Given, refuse, settled};
use crate::api::ApiError;

/// What is asked of the IPv4 addresses of a network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ip4Wish {
    /// The network.
    pub(crate) network: Given<Ipv4Net>,
    /// The gateway.
    pub(crate) gateway: Given<Ipv4Addr>,
    /// Whether there is DHCP.
    pub(crate) dhcp: Option<bool>,
    /// First address that DHCP gives away.
    pub(crate) start: Given<Ipv4Addr>,
    /// Last address that DHCP gives away.
    pub(crate) end: Given<Ipv4Addr>,
}

impl Ip4Wish {
    /// Whether anything is asked.
    pub(super) fn is_any(&self) -> bool {
        self.network.is_some()
            || self.gateway.is_some()
            || self.dhcp.is_some()
            || self.start.is_some()
            || self.end.is_some()
    }

    /// Whether anything is asked that only a managed network can have.
    pub(super) fn wants_any(&self) -> bool {
        let addresses = [self.gateway, self.start, self.end];
        self.network.flatten().is_some()
            || self.dhcp == Some(true)
            || addresses.iter().any(|address| address.flatten().is_some())
    }
}

/// The IPv4 addresses of a network, as they are or shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ip4 {
    pub(super) network: Option<Ipv4Net>,
    pub(super) gateway: Option<Ipv4Addr>,
    pub(super) dhcp: bool,
    pub(super) start: Option<Ipv4Addr>,
    pub(super) end: Option<Ipv4Addr>,
}

impl Ip4 {
    /// Those of a network as it is, with what is asked; refused where that depends on what cannot be
    /// understood. With a network that is given up go its gateway and the range of DHCP, unless that is on.
    pub(super) fn asked(was: &Network, wish: &Ip4Wish) -> Result<Self, ApiError> {
        let network = settled(wish.network, &was.ip4_network, "IPv4 network")?;
        let dhcp = settled(wish.dhcp, &was.dhcp4, "DHCPv4 flag")?;
        let goes = wish.network == Some(None) && !dhcp;
        let asked = |given: Given<Ipv4Addr>| given.or(goes.then_some(None));
        Ok(Self {
            network,
            gateway: settled(asked(wish.gateway), &was.ip4_gateway, "IPv4 gateway")?,
            dhcp,
            start: settled(asked(wish.start), &was.dhcp4_start, "DHCPv4 start address")?,
            end: settled(asked(wish.end), &was.dhcp4_end, "DHCPv4 end address")?,
        })
    }

    /// Whether they go together.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        self.check_since(None)
    }

    /// Refuses what does not go together; but what did not do so `before` either keeps nothing else
    /// from being changed.
    pub(super) fn check_since(&self, before: Option<&Self>) -> Result<(), ApiError> {
        let known: Vec<String> =
            before.map(Self::faults).into_iter().flatten().map(|fault| fault.to_string()).collect();
        let mut new = self.faults().into_iter();
        new.find(|fault| !known.contains(&fault.to_string())).map_or(Ok(()), Err)
    }

    /// Everything that does not go together.
    fn faults(&self) -> Vec<ApiError> {
        let (start, end) = ("DHCPv4 start address", "DHCPv4 end address");
        let checks = match self.network {
            None => vec![self.check_without_network()],
            Some(network) => vec![
                self.check_gateway(network),
                self.start.map_or(Ok(()), |address| is_host(start, address, network)),
                self.end.map_or(Ok(()), |address| is_host(end, address, network)),
                self.check_range(),
            ],
        };
        [self.check_dhcp()].into_iter().chain(checks).filter_map(Result::err).collect()
    }

    fn check_dhcp(&self) -> Result<(), ApiError> {
        if self.dhcp && (self.start.is_none() || self.end.is_none()) {
            let why = "DHCPv4 start and end addresses are required for a DHCPv4-enabled network.";
            return refuse("no-dhcp-range", why);
        }
        Ok(())
    }

    fn check_gateway(&self, network: Ipv4Net) -> Result<(), ApiError> {
        match self.gateway {
            Some(gateway) => is_host("IPv4 gateway", gateway, network),
            None if self.dhcp => {
                let why = "DHCPv4 needs an IPv4 gateway, which is the server's address.";
                refuse("no-gateway", why)
            }
            None => Ok(()),
        }
    }

    fn check_without_network(&self) -> Result<(), ApiError> {
        let (what, end) = match self {
            Self { dhcp: true, .. } => ("DHCP", "switch it off"),
            Self { gateway: Some(_), .. } => ("gateway", "clear it"),
            Self { start: Some(_), .. } | Self { end: Some(_), .. } => {
                ("DHCP range", "clear its start and end")
            }
            _ => return Ok(()),
        };
        let why =
            format!("There is an IPv4 {what}, but no IPv4 network for it: give one, or {end}.");
        refuse("no-ip4-network", why)
    }

    fn check_range(&self) -> Result<(), ApiError> {
        let (start, end) = match (self.start, self.end) {
            (Some(start), Some(end)) => (start, end),
            (None, None) => return Ok(()),
            (Some(_), None) | (None, Some(_)) => {
                let why = "A DHCPv4 range has a start and an end address; only one was given.";
                return refuse("no-dhcp-range", why);
            }
        };
        if start > end {
            let why = format!(
                "The DHCPv4 range is reversed: it starts at {start} and ends before, at {end}."
            );
            return refuse("reversed-range", why);
        }
        match self.gateway.filter(|gateway| (start..=end).contains(gateway)) {
            None => Ok(()),
            Some(gateway) => {
                let why = format!(
                    "The DHCPv4 range from {start} to {end} contains the gateway {gateway}; \
                     expected one beside it."
                );
                refuse("gateway-in-range", why)
            }
        }
    }

    /// Writes them where they are not so already, on the condition that nothing changed meanwhile.
    pub(super) fn write(&self, vni: Vni, was: &Network, writes: &mut Writes) {
        writes.put(&key::network_ip4_network(vni), &was.ip4_network, &self.network);
        writes.put(&key::network_ip4_gateway(vni), &was.ip4_gateway, &self.gateway);
        writes.put(&key::network_dhcp4(vni), &was.dhcp4, &self.dhcp);
        writes.put(&key::network_dhcp4_start(vni), &was.dhcp4_start, &self.start);
        writes.put(&key::network_dhcp4_end(vni), &was.dhcp4_end, &self.end);
    }
}

/// Refuses an address that no host of the network can have.
pub(super) fn is_host(what: &str, address: Ipv4Addr, network: Ipv4Net) -> Result<(), ApiError> {
    let of_nobody = [network.network(), network.broadcast()].contains(&address);
    if network.contains(&address) && !of_nobody {
        return Ok(());
    }
    let first = Ipv4Addr::from(u32::from(network.network()) + 1);
    let last = Ipv4Addr::from(u32::from(network.broadcast()) - 1);
    let place = if of_nobody { "is of no host in" } else { "is outside of" };
    let why = format!(
        "{what} '{address}' {place} network '{network}'; expected an address from {first} to {last}."
    );
    refuse("outside-network", why)
}
