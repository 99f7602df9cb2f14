//! Reading what the kernel says of links, addresses and routes.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoBridgePort, InfoData, InfoKind, InfoPortData,
    InfoVlan, InfoVxlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage};

use pvc_common::observed::{LinkKind, Tunnel};

use crate::{DefaultRoute, Link, LinkTable, Mac};

/// Puts together what the kernel said in three answers.
pub(super) fn table(
    links: &[LinkMessage],
    addresses: &[AddressMessage],
    routes: &[RouteMessage],
) -> LinkTable {
    let names: HashMap<u32, &str> =
        links.iter().filter_map(|link| Some((link.header.index, name(link)?))).collect();
    let mut table = LinkTable::default();
    for message in links {
        if let Some(name) = name(message) {
            table.links.insert(name.to_owned(), link(message, &names));
        }
    }
    for message in addresses {
        let device = names.get(&message.header.index).and_then(|name| table.links.get_mut(*name));
        match (device, address(message)) {
            (Some(device), Some(IpNet::V4(address))) => device.addresses.push(address),
            (Some(device), Some(IpNet::V6(address))) => {
                if message.header.flags.contains(AddressHeaderFlags::Permanent) {
                    device.permanent_v6.push(address);
                }
                if !address.addr().is_unicast_link_local() {
                    device.addresses_v6.push(address);
                }
            }
            (None, _) | (_, None) => {}
        }
    }
    // By metric: the kernel takes the route with the smallest.
    let defaults: BTreeMap<(u32, usize), DefaultRoute> = routes
        .iter()
        .enumerate()
        .filter_map(|(position, message)| {
            let (metric, route) = default_route(message, &names)?;
            Some(((metric, position), route))
        })
        .collect();
    table.default_routes = defaults.into_values().collect();
    table
}

/// Whether a device is a bridge.
pub(super) fn is_bridge(message: &LinkMessage) -> bool {
    let bridge = LinkInfo::Kind(InfoKind::Bridge);
    message.attributes.iter().any(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => infos.contains(&bridge),
        _ => false,
    })
}

fn name(message: &LinkMessage) -> Option<&str> {
    message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    })
}

fn link(message: &LinkMessage, names: &HashMap<u32, &str>) -> Link {
    let mut link = Link { up: message.header.flags.contains(LinkFlags::Up), ..Link::default() };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::Group(group) => link.group = *group,
            LinkAttribute::Address(bytes) => {
                let mac = <[u8; 6]>::try_from(bytes.as_slice()).ok();
                // The loopback device has zeros, which no other device may have.
                link.mac = mac.filter(|mac| *mac != [0; 6]).map(Mac);
            }
            LinkAttribute::Controller(index) => {
                link.bridge_port_of = names.get(index).map(|name| (*name).to_owned());
            }
            LinkAttribute::LinkInfo(infos) => {
                link.kind = kind(infos, lower(message, names));
                link.learned_from = infos.iter().any(is_learning);
            }
            LinkAttribute::AfSpecUnspec(families) => link.link_local = link_local(families),
            _ => {}
        }
    }
    link
}

/// The device that a device is on.
fn lower(message: &LinkMessage, names: &HashMap<u32, &str>) -> String {
    let index = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Link(index) => Some(index),
        _ => None,
    });
    index.and_then(|index| names.get(index)).map(|name| (*name).to_owned()).unwrap_or_default()
}

fn kind(infos: &[LinkInfo], lower: String) -> LinkKind {
    let is = |kind| infos.contains(&LinkInfo::Kind(kind));
    let data = infos.iter().find_map(|info| match info {
        LinkInfo::Data(data) => Some(data),
        _ => None,
    });
    match data {
        _ if is(InfoKind::Bridge) => LinkKind::Bridge,
        Some(InfoData::Vxlan(data)) => LinkKind::Vxlan(tunnel(data)),
        Some(InfoData::Vlan(data)) => {
            let id = data.iter().find_map(|datum| match datum {
                InfoVlan::Id(id) => Some(*id),
                _ => None,
            });
            LinkKind::Vlan { id: id.unwrap_or_default(), carrier: lower }
        }
        _ => LinkKind::Other,
    }
}

fn tunnel(data: &[InfoVxlan]) -> Tunnel {
    let mut tunnel = Tunnel { vni: 0, port: 0, local: None, learning: false };
    for datum in data {
        match datum {
            InfoVxlan::Id(vni) => tunnel.vni = *vni,
            InfoVxlan::Port(port) => tunnel.port = *port,
            InfoVxlan::Local(local) => tunnel.local = Some(*local),
            InfoVxlan::Learning(learning) => tunnel.learning = *learning,
            _ => {}
        }
    }
    tunnel
}

fn is_learning(info: &LinkInfo) -> bool {
    match info {
        LinkInfo::PortData(InfoPortData::BridgePort(port)) => {
            port.contains(&InfoBridgePort::Learning(true))
        }
        _ => false,
    }
}

/// A device without IPv6 says nothing of how it addresses itself.
fn link_local(families: &[AfSpecUnspec]) -> bool {
    families.iter().any(|family| match family {
        AfSpecUnspec::Inet6(inet6) => inet6.iter().any(|it| match it {
            AfSpecInet6::AddrGenMode(mode) => *mode != In6AddrGenMode::None,
            _ => false,
        }),
        _ => false,
    })
}

fn address(message: &AddressMessage) -> Option<IpNet> {
    let mut address = None;
    for attribute in &message.attributes {
        match attribute {
            // Of a point-to-point link, `Address` is the other end's.
            AddressAttribute::Local(local) => address = Some(*local),
            AddressAttribute::Address(maybe) => address = address.or(Some(*maybe)),
            _ => {}
        }
    }
    IpNet::new(address?, message.header.prefix_len).ok()
}

fn default_route(
    message: &RouteMessage,
    names: &HashMap<u32, &str>,
) -> Option<(u32, DefaultRoute)> {
    let header = &message.header;
    if header.address_family != AddressFamily::Inet
        || header.destination_prefix_length != 0
        || header.table != RouteHeader::RT_TABLE_MAIN
    {
        return None;
    }
    let (mut gateway, mut device, mut metric) = (None::<Ipv4Addr>, None, 0);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(address)) => gateway = Some(*address),
            RouteAttribute::Oif(index) => device = names.get(index),
            RouteAttribute::Priority(priority) => metric = *priority,
            _ => {}
        }
    }
    Some((metric, DefaultRoute { gateway: gateway?, device: (*device?).to_owned() }))
}
