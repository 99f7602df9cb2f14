//! Looks at network devices, by way of netlink.

use std::net::Ipv4Addr;

use futures_util::{Stream, TryStreamExt};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask};
use rtnetlink::{Error, Handle, LinkGetRequest, RouteMessageBuilder};

use super::links::{ask, on};
use super::netlink::{is_bridge, table};
use super::socket::connect;
use crate::{LinkError, LinkTable};

/// Sees everything.
pub(super) async fn all() -> Result<LinkTable, LinkError> {
    let handle = open()?;
    let links = collect("see devices", links(&handle).execute()).await?;
    let addresses = collect("see addresses", handle.address().get().execute()).await?;
    let routes = RouteMessageBuilder::<Ipv4Addr>::new().build();
    let routes = collect("see routes", handle.route().get(routes).execute()).await?;
    Ok(table(&links, &addresses, &routes))
}

/// Sees these devices and the ports of bridges among them.
pub(super) async fn some(devices: &[String]) -> Result<LinkTable, LinkError> {
    let handle = open()?;
    let mut found = Vec::new();
    for device in devices {
        let asked = links(&handle).match_name(device).execute();
        match on(device, "see devices", asked.try_collect::<Vec<_>>()).await {
            Ok(links) => found.extend(links),
            Err(LinkError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let bridges = found.iter().filter(|link| is_bridge(link)).map(|link| link.header.index);
    for bridge in bridges.collect::<Vec<_>>() {
        let mut ports = links(&handle);
        ports.message_mut().attributes.push(LinkAttribute::Controller(bridge));
        found.extend(collect("see devices", ports.execute()).await?);
    }
    Ok(table(&found, &[], &[]))
}

/// A socket for one look: one takes one such question at a time, and refuses the next.
fn open() -> Result<Handle, LinkError> {
    connect().map_err(|error| {
        let what = "give a netlink socket".to_owned();
        LinkError::Refused { what, why: error.to_string() }
    })
}

/// A question for devices, without counters, which are more than half of what the kernel tells.
fn links(handle: &Handle) -> LinkGetRequest {
    let links = handle.link().get();
    links.set_filter_mask(AddressFamily::Unspec, vec![LinkExtentMask::SkipStats])
}

async fn collect<T>(
    what: &str,
    answers: impl Stream<Item = Result<T, Error>>,
) -> Result<Vec<T>, LinkError> {
    ask(what, answers.try_collect()).await
}
