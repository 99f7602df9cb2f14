//! FRR's configuration: how nodes tell each other where VMs are (BGP EVPN).
//!
//! ```text
//!   hv1 ◀──▶ hv2 ◀──▶ hv3     coordinators: each peers with every node, and reflects what one
//!     ▲ ╲   ╱ │ ╲   ╱ ▲       that is no coordinator says to all others
//!     │  ╲ ╱  │  ╲ ╱  │
//!     hv4 ─── ┘   hv5         others: each peers with the coordinators only
//! ```
//! Networks are not named in it: FRR sees the VXLAN devices by itself (`advertise-all-vni`). So it
//! changes only when nodes come and go.
//!
//! Nodes are known by what they tell of themselves (`presence`): their address in the cluster network. One
//! that tells none, such as one of upstream's daemon, is no peer.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use pvc_common::id::NodeName;
use pvc_common::state::{DaemonMode, DaemonState, NetworkType};
use pvc_common::view::View;

/// The private number of our autonomous system, which upstream's installations have, too.
const AS: u32 = 65_500;

/// Seconds between two signs of life of a peer, and of silence until it counts as gone.
///
/// Nobody waits for that: a VM that starts elsewhere is told of at once, by its new node, and a
/// coordinator that died is not the only one. Less would take a node that is merely busy for gone.
const KEEPALIVE_S: u32 = 3;
const HOLD_S: u32 = 9;

/// Seconds between two attempts to reach a peer; FRR's own are 120.
const CONNECT_S: u32 = 3;

/// What the file begins with if it is ours.
const MARK: &str = "! Made by pvcnoded";

/// A node that takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Its address in the cluster network.
    pub address: Ipv4Addr,
    /// Whether it is a coordinator.
    pub coordinator: bool,
}

/// This node and those it peers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fabric {
    /// This node.
    pub own: Speaker,
    /// The nodes it peers with.
    pub peers: BTreeMap<NodeName, Speaker>,
}

impl Fabric {
    /// Of a node, by what the tree tells of the others; `is_cluster` knows addresses of the cluster
    /// network.
    #[must_use]
    pub fn of(
        me: &NodeName,
        own: Ipv4Addr,
        view: &View,
        is_cluster: impl Fn(Ipv4Addr) -> bool,
    ) -> Self {
        let is_coordinator = |name: &NodeName| {
            let node = view.nodes.get(name);
            node.and_then(|node| node.mode.copied()) == Some(DaemonMode::Coordinator)
        };
        let own = Speaker { address: own, coordinator: is_coordinator(me) };
        let others = view.nodes.iter().filter(|(name, _)| *name != me);
        let peers = others.filter_map(|(name, node)| {
            let told = &node.liveness.presence.get()?.addresses;
            let v4 = told.iter().filter_map(|address| match address {
                IpAddr::V4(address) => Some(*address),
                IpAddr::V6(_) => None,
            });
            let address = v4.into_iter().find(|address| is_cluster(*address))?;
            Some((name.clone(), Speaker { address, coordinator: is_coordinator(name) }))
        });
        let peers = peers.filter(|(_, peer)| own.coordinator || peer.coordinator).collect();
        Self { own, peers }
    }
}

/// The nodes that serve, and of which nothing is `heard` although they are peers.
#[must_use]
pub fn unheard(fabric: &Fabric, view: &View, heard: &BTreeSet<Ipv4Addr>) -> BTreeSet<NodeName> {
    let serves = |name: &NodeName| {
        let node = view.nodes.get(name);
        node.and_then(|node| node.daemon_state.copied()) == Some(DaemonState::Run)
    };
    let missing = fabric.peers.iter().filter(|(_, peer)| !heard.contains(&peer.address));
    missing.map(|(name, _)| name.clone()).filter(serves).collect()
}

/// Whether there is anything to tell: a managed network.
#[must_use]
pub fn is_needed(view: &View) -> bool {
    view.networks.values().any(|network| network.kind.copied() == Some(NetworkType::Managed))
}

/// Whose the configuration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's: there is none, or it configures nothing.
    Nobody,
    /// Ours.
    Ours,
    /// Somebody else's, who configures FRR in another way.
    Other,
}

/// What a configuration may say that configures nothing, as Debian's package brings it.
const NOTHING: [&str; 7] = [
    "log ",
    "frr version ",
    "frr defaults ",
    "hostname ",
    "service integrated-vtysh-config",
    "line vty",
    "end",
];

/// Whose a configuration is; `None` if there is none.
#[must_use]
pub fn owner(text: Option<&str>) -> Owner {
    let Some(text) = text else {
        return Owner::Nobody;
    };
    if text.lines().any(|line| line.starts_with(MARK)) {
        return Owner::Ours;
    }
    let says_nothing = |line: &str| {
        line.is_empty()
            || line.starts_with(['!', '#'])
            || NOTHING.iter().any(|start| line.starts_with(start))
    };
    if text.lines().map(str::trim).all(says_nothing) { Owner::Nobody } else { Owner::Other }
}

/// FRR's configuration of a node.
#[must_use]
pub fn render(fabric: &Fabric) -> String {
    let Fabric { own, peers } = fabric;
    let mut text = format!(
        "{MARK}, which does it anew whenever nodes come or go.\n\
         ! A file without these lines is left alone: FRR is configured in another way then.\n\
         log syslog informational\n\
         service integrated-vtysh-config\n\
         !\n\
         router bgp {AS}\n \
         bgp router-id {address}\n \
         no bgp default ipv4-unicast\n \
         timers bgp {KEEPALIVE_S} {HOLD_S}\n",
        address = own.address,
    );
    group(&mut text, COORDINATORS, own.address);
    if own.coordinator {
        group(&mut text, OTHERS, own.address);
    }
    for (name, peer) in peers {
        let (address, group) = (peer.address, if peer.coordinator { COORDINATORS } else { OTHERS });
        line(&mut text, &format!(" neighbor {address} peer-group {group}"));
        line(&mut text, &format!(" neighbor {address} description {name}"));
    }
    line(&mut text, " !");
    line(&mut text, " address-family l2vpn evpn");
    line(&mut text, &format!("  neighbor {COORDINATORS} activate"));
    if own.coordinator {
        line(&mut text, &format!("  neighbor {OTHERS} activate"));
        line(&mut text, &format!("  neighbor {OTHERS} route-reflector-client"));
    }
    line(&mut text, "  advertise-all-vni");
    // So that the way to a gateway is known: its bridge's own address is learned by nobody.
    line(&mut text, "  advertise-svi-ip");
    line(&mut text, " exit-address-family");
    line(&mut text, "exit");
    line(&mut text, "!");
    text
}

const COORDINATORS: &str = "coordinators";
const OTHERS: &str = "others";

fn group(text: &mut String, group: &str, own: Ipv4Addr) {
    line(text, &format!(" neighbor {group} peer-group"));
    line(text, &format!(" neighbor {group} remote-as {AS}"));
    // Not from a floating address, which leaves with the primary.
    line(text, &format!(" neighbor {group} update-source {own}"));
    line(text, &format!(" neighbor {group} timers connect {CONNECT_S}"));
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes all");
}
