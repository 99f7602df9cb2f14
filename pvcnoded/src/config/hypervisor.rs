//! Where libvirt is, and how VMs are moved between nodes.

use ipnet::Ipv4Net;
use pvc_common::state::{Selector, Word};
use pvc_runtime::config::{FLAG, Kind, Section};

use super::NetworkName;

/// Where libvirt is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HypervisorUri {
    /// A real one, by its connection URI.
    Libvirt(String),
    /// None: VMs are only imagined. For measuring the daemon with thousands of them.
    Fake,
}

const URI: Kind<HypervisorUri> = Kind {
    expected: "a libvirt URI such as qemu:///system, or fake:",
    parse: |text| match text.split_once(':')? {
        ("fake", "") => Some(HypervisorUri::Fake),
        (scheme, rest) if !scheme.is_empty() && rest.starts_with("//") => {
            let clean = !text.contains(|c: char| c.is_control() || c.is_whitespace());
            clean.then(|| HypervisorUri::Libvirt(text.to_owned()))
        }
        _ => None,
    },
};

/// Where this node's libvirt is, and where the others' are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hypervisor {
    /// This node's.
    pub uri: HypervisorUri,
    /// Another node's, with `{node}` for its name; `None` for TCP to its cluster address.
    pub peer_uri: Option<String>,
}

const PEER_URI: Kind<String> = Kind {
    expected: "a libvirt URI with {node} in it, such as qemu+tls://{node}.example.net/system",
    parse: |text| {
        let uri = matches!((URI.parse)(text), Some(HypervisorUri::Libvirt(_)));
        (uri && text.contains("{node}")).then(|| text.to_owned())
    },
};

impl Hypervisor {
    pub(super) fn read(system: &Section<'_>) -> Self {
        let read = system.optional_section("hypervisor", |section| {
            Some((section.optional("uri", URI), section.optional("peer_uri", PEER_URI)))
        });
        let (uri, peer_uri) = read.unwrap_or_default();
        let uri = uri.unwrap_or_else(|| HypervisorUri::Libvirt("qemu:///system".to_owned()));
        Self { uri, peer_uri }
    }
}

/// By which network VMs travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationAddress {
    /// By one of the networks between the nodes.
    In(NetworkName),
    /// By another one, in which this node has this address.
    Own(Ipv4Net),
}

const MIGRATION_ADDRESS: Kind<MigrationAddress> = Kind {
    expected: "cluster, storage, upstream, or this node's address with a prefix in another network",
    parse: |text| match text {
        "cluster" => Some(MigrationAddress::In(NetworkName::Cluster)),
        "storage" => Some(MigrationAddress::In(NetworkName::Storage)),
        "upstream" => Some(MigrationAddress::In(NetworkName::Upstream)),
        address => address.parse().ok().map(MigrationAddress::Own),
    },
};

const SELECTOR: Kind<Selector> = Kind {
    expected: "one of mem, memprov, vcpus, load, vms",
    parse: |text| Selector::parse(text).ok(),
};

/// How VMs are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// By which measure a node is chosen, unless the VM says otherwise.
    pub selector: Selector,
    /// By which network they travel.
    pub address: MigrationAddress,
    /// Whether migrations are encrypted, for which libvirt needs certificates.
    pub tls: bool,
}

impl Migration {
    pub(super) fn read(system: &Section<'_>) -> Self {
        let default = Self {
            selector: Selector::Mem,
            address: MigrationAddress::In(NetworkName::Cluster),
            tls: false,
        };
        let read = system.optional_section("migration", |section| {
            Some(Self {
                selector: section.or("target_selector", SELECTOR, default.selector),
                address: section.or("network", MIGRATION_ADDRESS, default.address),
                tls: section.or("tls", FLAG, default.tls),
            })
        });
        read.unwrap_or(default)
    }
}
