//! Client networks, their addresses and their firewall.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A client network, as `GET /network` lists it. What is not set reads `None`, the MTU is empty then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Network {
    /// Its number: a VXLAN network identifier, or a VLAN ID if it is bridged.
    pub vni: u32,
    /// Its name for people.
    #[serde(default)]
    pub description: String,
    /// `managed` or `bridged`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Size of its packets; empty for the greatest that fits.
    #[serde(default)]
    pub mtu: String,
    /// Size of its packets as they are: no greater than every node can carry. Empty while no node
    /// has told what it can.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mtu_in_force: String,
    /// Its DNS domain.
    #[serde(default)]
    pub domain: String,
    /// Name servers that are asked what its own does not know. Other versions send one that is empty
    /// for none.
    #[serde(default)]
    pub name_servers: Vec<String>,
    /// Its IPv6 addresses.
    #[serde(default)]
    pub ip6: NetworkIp6,
    /// Its IPv4 addresses.
    #[serde(default)]
    pub ip4: NetworkIp4,
}

/// The IPv6 addresses of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NetworkIp6 {
    /// The network, as `address/length`.
    pub network: String,
    /// The gateway.
    pub gateway: String,
    /// Whether VMs get addresses by DHCP: `True` or `False`.
    pub dhcp_flag: String,
}

/// The IPv4 addresses of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NetworkIp4 {
    /// The network, as `address/length`.
    pub network: String,
    /// The gateway.
    pub gateway: String,
    /// Whether VMs get addresses by DHCP: `True` or `False`.
    pub dhcp_flag: String,
    /// First address that DHCP gives away.
    pub dhcp_start: String,
    /// Last address that DHCP gives away.
    pub dhcp_end: String,
}

/// An address that a network keeps for an interface, or that DHCP gave to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkLease {
    /// The name that goes with it; `None` without one.
    #[serde(default)]
    pub hostname: String,
    /// The address; empty if it is an IPv6 address.
    #[serde(default)]
    pub ip4_address: String,
    /// The address, if it is an IPv6 address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ip6_address: String,
    /// The interface's hardware address; empty where it is not known, of an IPv6 address only.
    pub mac_address: String,
    /// `static` for one that is kept, else when it ends, in UNIX seconds by the primary's clock.
    #[serde(default)]
    pub timestamp: String,
}

/// A firewall rule of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkAcl {
    /// `in` for what enters the network, `out` for what leaves it.
    pub direction: String,
    /// Its place among the rules of its direction, counted from 0.
    pub order: u32,
    /// Its name.
    pub description: String,
    /// What it matches and what becomes of that, in the language of nft.
    #[serde(default)]
    pub rule: String,
}
