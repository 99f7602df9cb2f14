//! A network among the others: found, and kept from getting into their way.

use std::net::IpAddr;

use ipnet::IpNet;
use pvc_common::id::Vni;
use pvc_common::model::{Network, Node};
use pvc_common::state::NetworkType;
use pvc_common::view::View;
use pvc_common::zk::{Seen, key};

use super::found::no_such_network;
use super::refuse;
use super::writes::Writes;
use crate::api::ApiError;

/// The networks that a decision about one of them has to look at, and what guards that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Others<'a> {
    /// The cluster.
    pub(crate) view: &'a View,
    /// Which of such decisions it shows.
    pub(crate) guard: &'a Seen<()>,
}

impl Others<'_> {
    /// Fails the transaction if another such decision was made. It stands last: who sees it has seen what
    /// comes with it.
    pub(super) fn claim(self, writes: &mut Writes) {
        writes.claim(&key::networks(), self.guard);
    }
}

/// The network of this number or description.
pub(crate) fn find(view: &View, text: &str) -> Result<Vni, ApiError> {
    let by_number = text.parse().ok().filter(|vni| view.networks.contains_key(vni));
    let called = |network: &Network| network.description.get().is_some_and(|name| name == text);
    let mut networks = view.networks.iter();
    let by_name = || networks.find(|(_, network)| called(network)).map(|(vni, _)| *vni);
    by_number.or_else(by_name).ok_or_else(|| no_such_network(text))
}

/// Refuses a description that another network has.
pub(super) fn name_is_free(view: &View, vni: Vni, name: &str) -> Result<(), ApiError> {
    let taken = view.networks.iter().any(|(other, network)| {
        *other != vni && network.description.get().is_some_and(|taken| taken == name)
    });
    if !taken {
        return Ok(());
    }
    refuse("network-exists", format!("A network with description '{name}' already exists!"))
}

/// Refuses addresses that another network or the cluster itself has.
pub(super) fn apart(view: &View, vni: Vni, own: IpNet) -> Result<(), ApiError> {
    for (other, network) in view.networks.iter().filter(|(other, _)| **other != vni) {
        from_other(own, *other, network)?;
    }
    from_cluster(own, view)
}

fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

fn from_other(own: IpNet, other: Vni, network: &Network) -> Result<(), ApiError> {
    if network.kind.copied() != Some(NetworkType::Managed) {
        return Ok(());
    }
    let ip4 = network.ip4_network.copied().flatten().map(IpNet::from);
    let ip6 = network.ip6_network.copied().flatten().map(IpNet::from);
    let mut theirs = ip4.into_iter().chain(ip6);
    let Some(theirs) = theirs.find(|theirs| overlap(own, *theirs)) else { return Ok(()) };
    let name = network.description.get().map_or("", String::as_str);
    let why = format!(
        "Network '{own}' overlaps with '{theirs}' of network '{name}' (VNI {other}); expected \
         addresses that no other network has."
    );
    refuse("overlapping", why)
}

/// The floating address tells of the upstream network, and nodes of all; those whose daemons are older only
/// of their addresses.
fn from_cluster(own: IpNet, view: &View) -> Result<(), ApiError> {
    let upstream: Option<IpNet> = view.cluster.upstream_ip.get().and_then(|text| text.parse().ok());
    if let Some(upstream) = upstream.filter(|upstream| overlap(own, upstream.trunc())) {
        let why = format!(
            "Network '{own}' overlaps with '{}', the cluster's own upstream network.",
            upstream.trunc()
        );
        return refuse("overlapping", why);
    }
    for (name, node) in &view.nodes {
        let presence = node.liveness.presence.get();
        let mut networks = presence.into_iter().flat_map(|presence| &presence.networks);
        if let Some(network) = networks.find(|network| overlap(own, network.trunc())) {
            let network = network.trunc();
            let why =
                format!("Network '{own}' overlaps with '{network}', which node '{name}' is in.");
            return refuse("overlapping", why);
        }
        if let Some(address) = addresses(node).find(|address| own.contains(address)) {
            let why = format!("Network '{own}' contains '{address}', an address of node '{name}'.");
            return refuse("overlapping", why);
        }
    }
    Ok(())
}

fn addresses(node: &Node) -> impl Iterator<Item = IpAddr> {
    let presence = node.liveness.presence.get().into_iter();
    presence.flat_map(|presence| {
        presence.mesh.iter().map(|at| at.ip()).chain(presence.addresses.iter().copied())
    })
}
