//! Reading what the kernel says of links, addresses and routes.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
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
        if let (Some(device), Some(address)) = (device, address(message)) {
            device.addresses.push(address);
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

fn address(message: &AddressMessage) -> Option<Ipv4Net> {
    if message.header.family != AddressFamily::Inet {
        return None;
    }
    let local = |attribute: &AddressAttribute| match attribute {
        AddressAttribute::Local(IpAddr::V4(address)) => Some(*address),
        _ => None,
    };
    let address = message.attributes.iter().find_map(local)?;
    Ipv4Net::new(address, message.header.prefix_len).ok()
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
