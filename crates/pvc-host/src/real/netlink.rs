//! Reading what the kernel says of links, addresses and routes.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage};

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
            (Some(device), Some(IpNet::V6(address))) => device.addresses_v6.push(address),
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
            LinkAttribute::Address(bytes) => {
                let mac = <[u8; 6]>::try_from(bytes.as_slice()).ok();
                // The loopback device has zeros, which no other device may have.
                link.mac = mac.filter(|mac| *mac != [0; 6]).map(Mac);
            }
            LinkAttribute::Controller(index) => {
                link.bridge_port_of = names.get(index).map(|name| (*name).to_owned());
            }
            LinkAttribute::LinkInfo(infos) => {
                link.bridge = infos.contains(&LinkInfo::Kind(InfoKind::Bridge));
            }
            _ => {}
        }
    }
    link
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
    let address = match address? {
        IpAddr::V6(address) if address.is_unicast_link_local() => return None,
        address => address,
    };
    IpNet::new(address, message.header.prefix_len).ok()
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
