//! The options that say how a network is.

use clap::Args;
use pvc_client::call::network;

/// Settings that a new network and a change of one have in common.
#[derive(Debug, Args)]
pub(super) struct Settings {
    /// DNS domain of a managed network; by default its description and `.local`.
    #[arg(short = 'n', long)]
    domain: Option<String>,
    /// Name server that is asked what the network's own does not know; may be repeated.
    #[arg(long = "dns-server", value_name = "IP")]
    dns_servers: Vec<String>,
    /// IPv4 network, such as 10.1.0.0/24.
    #[arg(short = 'i', long = "ipnet", value_name = "CIDR")]
    ipnet: Option<String>,
    /// IPv6 network of 64 bits, such as fd00:1::/64; also as -i6.
    #[arg(long = "ipnet6", value_name = "CIDR")]
    ipnet6: Option<String>,
    /// IPv4 gateway, an address of the primary coordinator.
    #[arg(short = 'g', long, value_name = "IP")]
    gateway: Option<String>,
    /// IPv6 gateway; of an IPv6 network that is new, by default its first address; also as -g6.
    #[arg(long = "gateway6", value_name = "IP")]
    gateway6: Option<String>,
    /// Give the VMs IPv4 addresses by DHCP.
    #[arg(long, conflicts_with = "no_dhcp")]
    dhcp: bool,
    /// Give the VMs no IPv4 addresses.
    #[arg(long, conflicts_with = "dhcp")]
    no_dhcp: bool,
    /// First address that DHCP gives away.
    #[arg(long, value_name = "IP")]
    dhcp_start: Option<String>,
    /// Last address that DHCP gives away.
    #[arg(long, value_name = "IP")]
    dhcp_end: Option<String>,
}

impl Settings {
    /// What was said, as the API wants it.
    pub(super) fn given(
        self,
        description: Option<String>,
        mtu: Option<String>,
    ) -> network::Settings {
        let dhcp4 = (self.dhcp || self.no_dhcp).then_some(self.dhcp);
        network::Settings {
            description,
            mtu,
            domain: self.domain,
            name_servers: self.dns_servers,
            ip4_network: self.ipnet,
            ip4_gateway: self.gateway,
            ip6_network: self.ipnet6,
            ip6_gateway: self.gateway6,
            dhcp4,
            dhcp4_start: self.dhcp_start,
            dhcp4_end: self.dhcp_end,
        }
    }
}
