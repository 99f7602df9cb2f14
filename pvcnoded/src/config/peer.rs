//! How other nodes are reached.

use ipnet::Ipv4Net;
use pvc_common::id::NodeName;

use super::network::host_by_number;
use super::{Config, MigrationAddress, Network, NetworkName};

/// The way to another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRoute {
    /// URI of its libvirt.
    pub libvirt: String,
    /// URI at which its QEMU takes in VMs.
    pub migration: String,
}

impl Config {
    /// The way to another node.
    #[must_use]
    pub fn route(&self, peer: &NodeName) -> PeerRoute {
        let libvirt = match &self.hypervisor.peer_uri {
            Some(template) => template.replace("{node}", peer.as_str()),
            None => format!("qemu+tcp://{}/system", self.in_network(NetworkName::Cluster, peer)),
        };
        let host = match self.migration.address {
            MigrationAddress::In(name) => self.in_network(name, peer),
            MigrationAddress::Own(own) => self.host(Some(own), None, peer),
        };
        PeerRoute { libvirt, migration: format!("tcp://{host}") }
    }

    fn in_network(&self, name: NetworkName, peer: &NodeName) -> String {
        let network = self.network(name);
        let domain = network.and_then(|network| network.domain.as_deref());
        self.host(network.and_then(|network| network.address), domain, peer)
    }

    fn network(&self, name: NetworkName) -> Option<&Network> {
        let networks = self.networks.as_ref()?;
        Some(match name {
            NetworkName::Upstream => &networks.upstream,
            NetworkName::Cluster => &networks.cluster,
            NetworkName::Storage => &networks.storage,
        })
    }

    /// The address of `peer` where this node has the address `own`, or else its name.
    ///
    /// Where addresses follow the nodes' numbers they need no name service to be known; but a
    /// certificate is for a name.
    fn host(&self, own: Option<Ipv4Net>, domain: Option<&str>, peer: &NodeName) -> String {
        let counted = own
            .filter(|own| {
                !self.migration.tls && host_by_number(own.trunc(), &self.node) == Some(*own)
            })
            .and_then(|own| host_by_number(own.trunc(), peer));
        match (counted, domain) {
            (Some(address), _) => address.addr().to_string(),
            (None, Some(domain)) => format!("{peer}.{domain}"),
            (None, None) => peer.to_string(),
        }
    }
}
