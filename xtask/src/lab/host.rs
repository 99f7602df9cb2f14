//! The hosts and networks of the lab: their names and addresses.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use anyhow::{Error, bail};

/// One host of the lab, `hv1` to `hv5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Host(u8);

impl Host {
    /// The most hosts a lab can have: their BMCs' addresses and names are laid out for this many.
    pub(crate) const MOST: u8 = 5;

    /// The first `count` hosts.
    pub(crate) fn first(count: u8) -> Vec<Self> {
        (1..=count.min(Self::MOST)).map(Self).collect()
    }

    /// The host's number, from 1: the last part of all its addresses.
    pub(crate) fn id(self) -> u8 {
        self.0
    }

    /// Where its BMC answers, in the upstream network.
    pub(crate) fn bmc(self) -> Ipv4Addr {
        Network::Upstream.at(100 + self.0)
    }

    /// The password of the BMC's user `admin`.
    pub(crate) fn bmc_password(self) -> String {
        format!("ipmi-{self}")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hv{}", self.0)
    }
}

impl FromStr for Host {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("hv").and_then(|id| id.parse().ok()) {
            Some(id @ 1..=Self::MOST) => Ok(Self(id)),
            _ => bail!("`{text}` is not a host: expected hv1 to hv{}", Self::MOST),
        }
    }
}

/// One of the three networks every host is plugged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Network {
    /// 10.100.0.0/24: BMCs, clients and the API's floating address.
    Upstream,
    /// 10.255.0.0/24: ZooKeeper, migration, and everything between the nodes.
    Cluster,
    /// 10.254.0.0/24: storage traffic.
    Storage,
}

impl Network {
    /// All of them, in the order of the hosts' network devices.
    pub(crate) const ALL: [Self; 3] = [Self::Upstream, Self::Cluster, Self::Storage];

    /// The network's name in commands and configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Cluster => "cluster",
            Self::Storage => "storage",
        }
    }

    /// From 1: part of the hardware addresses, and of the devices' names in the hosts.
    pub(crate) fn index(self) -> u8 {
        match self {
            Self::Upstream => 1,
            Self::Cluster => 2,
            Self::Storage => 3,
        }
    }

    /// The address with this last part.
    pub(crate) fn at(self, last: u8) -> Ipv4Addr {
        match self {
            Self::Upstream => Ipv4Addr::new(10, 100, 0, last),
            Self::Cluster => Ipv4Addr::new(10, 255, 0, last),
            Self::Storage => Ipv4Addr::new(10, 254, 0, last),
        }
    }

    /// A host's address in it.
    pub(crate) fn of(self, host: Host) -> Ipv4Addr {
        self.at(host.id())
    }

    /// The address that belongs to the primary coordinator.
    pub(crate) fn floating(self) -> Ipv4Addr {
        self.at(254)
    }

    /// The domain of the hosts' names in it.
    pub(crate) fn domain(self) -> &'static str {
        match self {
            Self::Upstream => "pvc.lab",
            Self::Cluster => "pvc.local",
            Self::Storage => "pvc.storage",
        }
    }

    /// The network device inside a host.
    pub(crate) fn device(self) -> String {
        format!("eno{}", self.index())
    }

    /// The bridge inside a host that holds the address.
    pub(crate) fn bridge(self) -> String {
        format!("br{}", self.name())
    }

    /// The bridge on the switch.
    pub(crate) fn segment(self) -> String {
        format!("sw-{}", self.name())
    }

    /// The switch's port a host is plugged into.
    pub(crate) fn port(self, host: Host) -> String {
        format!("{host}-{}", self.name())
    }
}

/// The switch's own address upstream, and the hosts' default route.
pub(crate) fn gateway() -> Ipv4Addr {
    Network::Upstream.at(253)
}

/// The client's address upstream.
pub(crate) fn client() -> Ipv4Addr {
    Network::Upstream.at(200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_the_lab_have_a_name() {
        assert_eq!("hv5".parse::<Host>().unwrap().to_string(), "hv5");
        for stranger in ["hv0", "hv6", "hv", "node1", "hv1x"] {
            assert!(stranger.parse::<Host>().is_err(), "{stranger}");
        }
    }

    #[test]
    fn device_names_fit_the_kernels_fifteen_characters() {
        for host in Host::first(Host::MOST) {
            for network in Network::ALL {
                assert!(network.port(host).len() <= 15);
                assert!(network.segment().len() <= 15);
            }
        }
    }
}
