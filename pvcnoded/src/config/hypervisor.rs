//! Where libvirt is, and how VMs are moved between nodes.

use std::net::Ipv4Addr;

use pvc_common::state::{Selector, Word};
use pvc_runtime::config::{FLAG, Kind, Section};

use super::{Config, NetworkName};

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

impl HypervisorUri {
    pub(super) fn read(system: &Section<'_>) -> Self {
        let default = || Self::Libvirt("qemu:///system".to_owned());
        system
            .optional_section("hypervisor", |section| section.optional("uri", URI))
            .unwrap_or_else(default)
    }
}

/// Which of this node's addresses takes in migrating VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationAddress {
    /// Its own address in one of the networks.
    In(NetworkName),
    /// An address of its own.
    Own(Ipv4Addr),
}

const MIGRATION_ADDRESS: Kind<MigrationAddress> = Kind {
    expected: "cluster, storage, upstream, or an own IPv4 address",
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
    /// Which of this node's addresses takes in migrating VMs.
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

impl Config {
    /// The address at which this node takes in migrating VMs.
    ///
    /// `None` if it has none in the network that is meant: then its name has to serve.
    #[must_use]
    pub fn migration_address(&self) -> Option<Ipv4Addr> {
        let networks = self.networks.as_ref();
        let network = match self.migration.address {
            MigrationAddress::Own(address) => return Some(address),
            MigrationAddress::In(NetworkName::Cluster) => networks.map(|all| &all.cluster),
            MigrationAddress::In(NetworkName::Storage) => networks.map(|all| &all.storage),
            MigrationAddress::In(NetworkName::Upstream) => networks.map(|all| &all.upstream),
        };
        Some(network?.address?.addr())
    }
}
