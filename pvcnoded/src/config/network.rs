//! The networks between the nodes, as the cluster and as this node have them.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use pvc_common::id::NodeName;
use pvc_runtime::config::{ADDRESS, FLAG, Kind, NAME, Section, WHOLE};

use super::kinds::{DEVICE, HOST_IN_NETWORK, MTU, NETWORK};

/// One of the three networks between the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkName {
    /// Towards the users.
    Upstream,
    /// Between the nodes: ZooKeeper, libvirt, client networks.
    Cluster,
    /// Between the nodes: Ceph.
    Storage,
}

impl NetworkName {
    /// The name in the configuration.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Cluster => "cluster",
            Self::Storage => "storage",
        }
    }

    /// The bridge that carries the network on each node.
    #[must_use]
    pub const fn bridge(self) -> &'static str {
        match self {
            Self::Upstream => "brupstream",
            Self::Cluster => "brcluster",
            Self::Storage => "brstorage",
        }
    }
}

/// One network between the nodes, with this node's part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Which one it is.
    pub name: NetworkName,
    /// Its domain name.
    pub domain: Option<String>,
    /// Its addresses.
    pub subnet: Ipv4Net,
    /// The address that belongs to the primary coordinator.
    pub floating: Option<Ipv4Net>,
    /// The router that leads out of it.
    pub gateway: Option<Ipv4Addr>,
    /// The device that this node reaches it by.
    pub device: String,
    /// The largest packet in it, in bytes.
    pub mtu: u32,
    /// This node's own address in it.
    pub address: Option<Ipv4Net>,
}

/// The three networks between the nodes.
///
/// Networks may share a device. Then the first of them, in the order cluster, storage, upstream,
/// has the bridge, and carries the addresses of the others: see [`Networks::carrier`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks {
    /// Towards the users.
    pub upstream: Network,
    /// Between the nodes.
    pub cluster: Network,
    /// For Ceph.
    pub storage: Network,
}

impl Networks {
    /// All three, those that may own a bridge for others first.
    #[must_use]
    pub const fn all(&self) -> [&Network; 3] {
        [&self.cluster, &self.storage, &self.upstream]
    }

    /// The network whose bridge carries `network`: itself, or one that shares its device.
    #[must_use]
    pub fn owner(&self, network: &Network) -> &Network {
        let all = self.all();
        let sharing = all.into_iter().find(|other| other.device == network.device);
        sharing.unwrap_or(match network.name {
            NetworkName::Upstream => &self.upstream,
            NetworkName::Cluster => &self.cluster,
            NetworkName::Storage => &self.storage,
        })
    }

    /// The bridge that has the addresses of `network`.
    #[must_use]
    pub fn carrier(&self, network: &Network) -> &'static str {
        self.owner(network).name.bridge()
    }
}

/// Where bridged client networks are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// The device that carries their VLANs.
    pub device: String,
    /// Its packet size in bytes; `None` keeps what the device has.
    pub mtu: Option<u32>,
}

/// A device that is divided into virtual functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SriovDevice {
    /// The device.
    pub device: String,
    /// Its packet size in bytes; `None` keeps what it has.
    pub mtu: Option<u32>,
    /// Into how many functions it is divided.
    pub functions: u32,
}

/// One network as the whole cluster has it.
#[derive(Clone, Debug)]
struct Subnet {
    domain: Option<String>,
    subnet: Ipv4Net,
    floating: Option<Ipv4Net>,
    gateway: Option<Ipv4Addr>,
}

/// `pvc.cluster.networks`. A network that is wrong or missing is `None`.
#[derive(Clone, Debug, Default)]
pub(super) struct Subnets {
    upstream: Option<Subnet>,
    cluster: Option<Subnet>,
    storage: Option<Subnet>,
}

impl Subnets {
    pub(super) fn read(cluster: &Section<'_>, networking: bool) -> Self {
        let reader = |networks: &Section<'_>| {
            Some(Self {
                upstream: networks.section("upstream", Subnet::read),
                cluster: networks.section("cluster", Subnet::read),
                storage: networks.section("storage", Subnet::read),
            })
        };
        let read = if networking {
            cluster.section("networks", reader)
        } else {
            cluster.optional_section("networks", reader)
        };
        read.unwrap_or_default()
    }

    pub(super) fn upstream_domain(&self) -> Option<&str> {
        self.upstream.as_ref()?.domain.as_deref()
    }
}

impl Subnet {
    fn read(network: &Section<'_>) -> Option<Self> {
        let domain = network.nullable("domain", NAME);
        let subnet = network.required("network", NETWORK);
        let floating = network.optional("floating_ip", HOST_IN_NETWORK);
        let gateway = network.optional("gateway", ADDRESS);
        let subnet = subnet?;
        if floating.is_some_and(|floating| !is_host_of(&subnet, floating)) {
            let bits = subnet.prefix_len();
            network.refuse(
                "floating_ip",
                format!("a host address of {subnet}, with its prefix /{bits}"),
            );
        }
        if gateway.is_some_and(|gateway| !subnet.contains(&gateway)) {
            network.refuse("gateway", format!("an address of {subnet}"));
        }
        Some(Self { domain, subnet, floating, gateway })
    }
}

/// Whether a host of `subnet` may have this address and prefix.
fn is_host_of(subnet: &Ipv4Net, address: Ipv4Net) -> bool {
    address.trunc() == *subnet
        && address.addr() != subnet.network()
        && address.addr() != subnet.broadcast()
}

/// `pvc.system.configuration.networking`, put together with the cluster's networks.
pub(super) struct Host {
    pub(super) networks: Option<Networks>,
    pub(super) bridge: Option<Bridge>,
    pub(super) sriov: Vec<SriovDevice>,
}

/// How a node gets its address in a network.
#[derive(Clone, Copy)]
enum Addressing {
    Nothing,
    ById,
    Static(Ipv4Net),
}

const ADDRESSING: Kind<Addressing> = Kind {
    expected: "None, by-id, or an IPv4 address with a prefix such as 10.0.0.1/24",
    parse: |text| match text {
        "" | "None" | "none" => Some(Addressing::Nothing),
        "by-id" => Some(Addressing::ById),
        address => address.parse().ok().map(Addressing::Static),
    },
};

impl Host {
    pub(super) fn read(
        configuration: &Section<'_>,
        networking: bool,
        subnets: Option<&Subnets>,
        node: Option<&NodeName>,
    ) -> Self {
        let reader = |host: &Section<'_>| {
            let subnet = |pick: fn(&Subnets) -> Option<&Subnet>| subnets.and_then(pick);
            let at = |name: NetworkName, subnet: Option<&Subnet>| {
                host.section(name.text(), |section| Network::read(section, name, subnet, node))
            };
            let upstream = at(NetworkName::Upstream, subnet(|all| all.upstream.as_ref()));
            let cluster = at(NetworkName::Cluster, subnet(|all| all.cluster.as_ref()));
            let storage = at(NetworkName::Storage, subnet(|all| all.storage.as_ref()));
            let networks = upstream.zip(cluster).zip(storage);
            Some(Self {
                networks: networks.map(|((upstream, cluster), storage)| Networks {
                    upstream,
                    cluster,
                    storage,
                }),
                bridge: Bridge::read(host),
                sriov: read_sriov(host),
            })
        };
        let read = if networking {
            configuration.section("networking", reader)
        } else {
            configuration.optional_section("networking", reader)
        };
        read.unwrap_or(Self { networks: None, bridge: None, sriov: Vec::new() })
    }
}

impl Network {
    fn read(
        section: &Section<'_>,
        name: NetworkName,
        subnet: Option<&Subnet>,
        node: Option<&NodeName>,
    ) -> Option<Self> {
        let device = section.required("device", DEVICE);
        let mtu = section.required("mtu", MTU);
        let addressing = section.required("address", ADDRESSING);
        let Subnet { domain, subnet, floating, gateway } = subnet?.clone();
        let address = match addressing? {
            Addressing::Nothing => None,
            Addressing::Static(address) => Some(address),
            Addressing::ById => Some(by_id(section, subnet, node?)?),
        };
        if let Some(address) = address {
            let taken = floating.is_some_and(|floating| floating.addr() == address.addr())
                || gateway == Some(address.addr());
            if !is_host_of(&subnet, address) {
                let bits = subnet.prefix_len();
                let expected = format!("a host address of {subnet}, with its prefix /{bits}");
                section.refuse("address", expected);
            } else if taken {
                let expected = format!(
                    "another address than {address}, which is the network's floating address or gateway"
                );
                section.refuse("address", expected);
            }
        }
        Some(Self { name, domain, subnet, floating, gateway, device: device?, mtu: mtu?, address })
    }
}

/// The address that a node gets by its number: `.3` for `hv3`.
///
/// `None` if its name has no number, or the subnet no host of that number.
pub(super) fn host_by_number(subnet: Ipv4Net, node: &NodeName) -> Option<Ipv4Net> {
    let number = node.number().filter(|number| *number > 0)?;
    let address = u32::from(subnet.network()).checked_add(number)?;
    let address = Ipv4Net::new(address.into(), subnet.prefix_len()).ok()?;
    is_host_of(&subnet, address).then_some(address)
}

/// [`host_by_number`], or a problem.
fn by_id(section: &Section<'_>, subnet: Ipv4Net, node: &NodeName) -> Option<Ipv4Net> {
    let address = host_by_number(subnet, node);
    if address.is_none() {
        section.refuse(
            "address",
            format!("an address: the name `{node}` ends in no number of a host of {subnet}"),
        );
    }
    address
}

impl Bridge {
    fn read(host: &Section<'_>) -> Option<Self> {
        let device = host.optional("bridge_device", DEVICE);
        let mtu = host.optional("bridge_mtu", MTU);
        device.map(|device| Self { device, mtu })
    }
}

fn read_sriov(host: &Section<'_>) -> Vec<SriovDevice> {
    let enabled = host.or("sriov_enable", FLAG, false);
    let devices = host.sections("sriov_device", |section| {
        let (phy, device) = (section.optional("phy", DEVICE), section.optional("device", DEVICE));
        let mtu = section.optional("mtu", MTU);
        let functions = section.or("vfcount", WHOLE, 0);
        if phy.is_some() && device.is_some() && phy != device {
            section.refuse("device", "the same as `phy`, or only one of the two");
        }
        let device = match phy.or(device) {
            Some(device) => device,
            None => section.required("phy", DEVICE)?,
        };
        Some(SriovDevice { device, mtu, functions })
    });
    if enabled { devices } else { Vec::new() }
}
