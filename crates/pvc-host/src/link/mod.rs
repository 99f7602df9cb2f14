//! Network devices: what they are, and what may be done to them.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};
use pvc_common::observed::LinkKind;

/// The hardware address of a device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A network device as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether it was switched on. It may have no carrier all the same.
    pub up: bool,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// Its hardware address, if it is an Ethernet device.
    pub mac: Option<Mac>,
    /// What it is.
    pub kind: LinkKind,
    /// The bridge it is a port of.
    pub bridge_port_of: Option<String>,
    /// Whether that bridge learns from what comes in by it.
    pub learned_from: bool,
    /// Whether it gives itself an IPv6 address when it is switched on.
    pub link_local: bool,
    /// The number of the group that it is in; 0 unless somebody put it into another.
    pub group: u32,
    /// Its IPv4 addresses, in the order the kernel has them.
    pub addresses: Vec<Ipv4Net>,
    /// Its IPv6 addresses, in the order the kernel has them, without those that are good on its
    /// own wire only.
    pub addresses_v6: Vec<Ipv6Net>,
    /// Its IPv6 addresses for good, in the order the kernel has them: also those on its own wire,
    /// but none that it made of what a router advertised.
    pub permanent_v6: Vec<Ipv6Net>,
}

/// The way out of all networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultRoute {
    /// The router.
    pub gateway: Ipv4Addr,
    /// The device it is reached by.
    pub device: String,
}

/// The network devices of this machine as they were seen at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkTable {
    /// Every device, by name.
    pub links: BTreeMap<String, Link>,
    /// The default routes of the main table, the preferred one first.
    pub default_routes: Vec<DefaultRoute>,
}

impl LinkTable {
    /// From where this machine may be talking to others: the addresses of its devices, by device.
    ///
    /// Without devices that have none, and without those that lead nowhere else (loopback,
    /// link-local).
    #[must_use]
    pub fn own_addresses(&self) -> BTreeMap<String, Vec<IpAddr>> {
        let of = |link: &Link| -> Vec<IpAddr> {
            let v4 = link.addresses.iter().map(Ipv4Net::addr);
            let v4 = v4.filter(|address| !address.is_loopback() && !address.is_link_local());
            let v6 = link.addresses_v6.iter().map(Ipv6Net::addr);
            let v6 = v6.filter(|address| !address.is_loopback());
            v4.map(IpAddr::V4).chain(v6.map(IpAddr::V6)).collect()
        };
        let links = self.links.iter().map(|(device, link)| (device.clone(), of(link)));
        links.filter(|(_, addresses)| !addresses.is_empty()).collect()
    }
}

/// One idempotent change to the network devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkStep {
    /// There shall be a bridge of this name, switched on.
    ///
    /// A bridge without a hardware address of its own takes that of any of its ports, and
    /// changes it when ports come and go, which its neighbours notice as an outage. So it is
    /// given the address of the device it is made for.
    Bridge {
        /// Its name.
        name: String,
        /// The device whose hardware address it gets when it is made.
        like: String,
    },
    /// There shall be a device of this kind; when it is made it is switched off.
    Make {
        /// Its name.
        name: String,
        /// Its kind.
        kind: LinkKind,
    },
    /// There shall be no device of this name.
    Remove {
        /// The device.
        device: String,
    },
    /// There shall be no devices of these names.
    ///
    /// They are put into a group, and that is removed at once: the kernel waits once until no
    /// processor uses them any more, and not for each. **Whatever else is in the group goes with
    /// them**, so the caller has seen that there is nothing.
    RemoveTogether {
        /// The devices.
        devices: Vec<String>,
        /// The number of the group.
        group: u32,
    },
    /// A device shall have this hardware address. A bridge keeps it, whatever its ports have.
    Address {
        /// The device.
        device: String,
        /// The address.
        mac: Mac,
    },
    /// A device shall give itself no IPv6 address when it is switched on.
    Quiet {
        /// The device.
        device: String,
    },
    /// The bridge of a port shall not learn from what comes in by it.
    Unlearning {
        /// The port.
        device: String,
    },
    /// A device shall be a port of a bridge.
    Enslave {
        /// The device.
        device: String,
        /// The bridge.
        bridge: String,
    },
    /// A device shall take packets of up to this size.
    Mtu {
        /// The device.
        device: String,
        /// Bytes.
        mtu: u32,
    },
    /// A device shall be switched on.
    Up {
        /// The device.
        device: String,
    },
    /// A device shall be switched off.
    Down {
        /// The device.
        device: String,
    },
    /// A device shall have an address.
    AddAddress {
        /// The device.
        device: String,
        /// The address with its prefix.
        address: Ipv4Net,
    },
    /// A device shall not have an address. One that is not there has none.
    RemoveAddress {
        /// The device.
        device: String,
        /// The address with its prefix.
        address: Ipv4Net,
    },
    /// A device shall have an IPv6 address, usable at once: the kernel does not look first for
    /// somebody else who has it.
    AddAddressV6 {
        /// The device.
        device: String,
        /// The address with its prefix.
        address: Ipv6Net,
    },
    /// A device shall not have an IPv6 address. One that is not there has none.
    RemoveAddressV6 {
        /// The device.
        device: String,
        /// The address with its prefix.
        address: Ipv6Net,
    },
    /// The default route shall be this one.
    DefaultRoute(DefaultRoute),
}

impl fmt::Display for LinkStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bridge { name, .. } => write!(f, "make bridge {name}"),
            Self::Make { name, kind } => write!(f, "make {name} ({kind})"),
            Self::Remove { device } => write!(f, "remove {device}"),
            Self::RemoveTogether { devices, .. } => write!(f, "remove {}", devices.join(", ")),
            Self::Address { device, mac } => write!(f, "give {device} the address {mac}"),
            Self::Quiet { device } => write!(f, "keep {device} from addressing itself"),
            Self::Unlearning { device } => write!(f, "end the learning by {device}"),
            Self::Enslave { device, bridge } => write!(f, "put {device} into bridge {bridge}"),
            Self::Mtu { device, mtu } => write!(f, "set the packet size of {device} to {mtu}"),
            Self::Up { device } => write!(f, "switch on {device}"),
            Self::Down { device } => write!(f, "switch off {device}"),
            Self::AddAddress { device, address } => write!(f, "add {address} to {device}"),
            Self::RemoveAddress { device, address } => write!(f, "remove {address} from {device}"),
            Self::AddAddressV6 { device, address } => write!(f, "add {address} to {device}"),
            Self::RemoveAddressV6 { device, address } => {
                write!(f, "remove {address} from {device}")
            }
            Self::DefaultRoute(DefaultRoute { gateway, device }) => {
                write!(f, "set the default route to {gateway} by {device}")
            }
        }
    }
}

/// Why network devices could not be seen or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no device of this name.
    #[error("there is no network device {device}")]
    Missing {
        /// The device.
        device: String,
    },
    /// The kernel did not answer in time.
    #[error("the kernel did not answer within {} ms", waited.as_millis())]
    NoAnswer {
        /// How long it was waited for.
        waited: Duration,
    },
    /// The kernel does not have devices of this kind.
    #[error("the kernel of this node has no devices of the kind {kind}")]
    NoSuchKind {
        /// As the kernel calls it.
        kind: &'static str,
    },
    /// There is a device of this name, but it is another one.
    #[error("there is another device {device} already")]
    Taken {
        /// The device.
        device: String,
    },
    /// The kernel refused.
    #[error("the kernel refused to {what}: {why}")]
    Refused {
        /// What was asked.
        what: String,
        /// Its reason.
        why: String,
    },
}

/// The network devices of this machine. Every call ends within a few seconds.
pub trait Links: Send + Sync + 'static {
    /// Sees all devices, their addresses, and the default routes.
    fn observe(&self) -> impl Future<Output = Result<LinkTable, LinkError>> + Send;

    /// Sees some devices only, of these names: those that are there, and the ports of those that are
    /// bridges. Without addresses and routes, and with no name for what else they are on or in.
    fn observe_some(
        &self,
        devices: &[String],
    ) -> impl Future<Output = Result<LinkTable, LinkError>> + Send;

    /// Makes one change. Idempotent: what is so already is a success.
    ///
    /// Changes come into force in the order in which they were begun. One that is not waited for any
    /// more does, too, and perhaps not before a look that is begun later.
    fn apply(&self, step: &LinkStep) -> impl Future<Output = Result<(), LinkError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_own_addresses_are_those_that_others_see() {
        let link = |addresses: &[&str], addresses_v6: &[&str]| Link {
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            addresses_v6: addresses_v6.iter().map(|address| address.parse().unwrap()).collect(),
            ..Link::default()
        };
        let links = [
            ("lo", link(&["127.0.0.1/8"], &["::1/128"])),
            ("brcluster", link(&["10.0.0.1/24", "10.0.0.250/24"], &["2001:db8::1/64"])),
            ("brstorage", link(&["10.0.1.1/24"], &[])),
            ("ens4", link(&[], &[])),
            ("vmbr10", link(&["169.254.169.254/32"], &[])),
        ];
        let links = links.into_iter().map(|(device, link)| (device.to_owned(), link)).collect();
        let own = LinkTable { links, ..LinkTable::default() }.own_addresses();
        let cluster = ["10.0.0.1", "10.0.0.250", "2001:db8::1"].map(|text| text.parse().unwrap());
        let storage = ["10.0.1.1"].map(|text| text.parse().unwrap());
        let expected = [("brcluster", cluster.to_vec()), ("brstorage", storage.to_vec())];
        assert_eq!(own, expected.map(|(device, own)| (device.to_owned(), own)).into());
    }
}
