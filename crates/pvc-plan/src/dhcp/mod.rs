//! What the primary serves in a managed network: addresses, routes and names, by a dnsmasq for each
//! network.
//!
//! ```text
//!   tree ──▶ Served ──▶ Files ──▶ dnsmasq ──▶ lease helper ──▶ Event ──▶ tree
//!            (served)   (render)              (a spool)        (lease)
//! ```
//! Nothing a person wrote gets into a file but as a value of a type that cannot hold what would
//! end a word there. What cannot be served is left out and told; it keeps nothing else from being
//! served.

mod keep;
mod lease;
mod record;
mod render;
#[cfg(test)]
mod tests;
mod turn;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use pvc_common::id::{DnsName, Hostname, MacAddress, Vni};
use pvc_common::model::Network;
use pvc_common::state::NetworkType;

use crate::dns::{Guarded, Owners};

pub use keep::{Found, Steps, plan};
pub use lease::{Verdict, expired, records, verdict};
pub use record::{BadRecord, Event, Lease4, Lease6, Record, base};
pub use render::{Files, Places, files};
pub use turn::{outdated, turns};

/// What is served in one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The network.
    pub vni: Vni,
    /// Its domain, of which the primary knows all names.
    pub domain: Option<DnsName>,
    /// Who knows all other names; nobody for those that the node itself asks.
    pub forwarders: Vec<IpAddr>,
    /// What is served to IPv4.
    pub v4: Option<Served4>,
    /// What is served to IPv6.
    pub v6: Option<Served6>,
    /// Addresses that are kept for somebody; of IPv4.
    pub kept: Vec<Kept>,
    /// Names that guests do not get by saying them.
    pub guarded: Vec<Guarded>,
}

/// What is served to IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served4 {
    /// The router, and who is asked for names.
    pub gateway: Ipv4Addr,
    /// The network.
    pub network: Ipv4Net,
    /// First and last address that may be given away; `None` if none may.
    pub range: Option<(Ipv4Addr, Ipv4Addr)>,
}

/// What is served to IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served6 {
    /// Who is asked for names. The router is the same in all networks.
    pub gateway: Ipv6Addr,
    /// The network.
    pub network: Ipv6Net,
    /// Whether addresses are given away, besides those that hosts make themselves.
    pub leases: bool,
}

/// An address that is kept for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// For whom.
    pub mac: MacAddress,
    /// The address.
    pub ip: Ipv4Addr,
    /// The name that goes with it.
    pub hostname: Option<Hostname>,
}

/// What is served in a network in which names belong to these, and what cannot be: in sentences for people.
///
/// Nothing where there is no gateway to serve from.
#[must_use]
pub fn served(vni: Vni, network: &Network, owners: &Owners) -> (Option<Served>, Vec<String>) {
    let mut trouble = Vec::new();
    if network.kind.copied() != Some(NetworkType::Managed) {
        return (None, trouble);
    }
    let v4 = served4(network, &mut trouble);
    let v6 = served6(network, &mut trouble);
    if v4.is_none() && v6.is_none() {
        return (None, trouble);
    }
    let domain = network.domain.get().and_then(Option::as_ref);
    let domain = domain.and_then(|text| good(text.parse::<DnsName>(), &mut trouble));
    let forwarders = network.name_servers.get().cloned().unwrap_or_default();
    let own = |server: &IpAddr| {
        v4.is_some_and(|v4| IpAddr::V4(v4.gateway) == *server)
            || v6.is_some_and(|v6| IpAddr::V6(v6.gateway) == *server)
    };
    // Asking itself, it would ask for ever.
    let forwarders = forwarders.into_iter().filter(|server| !own(server)).collect();
    let kept = v4.map(|v4| kept(network, &v4, &mut trouble)).unwrap_or_default();
    let guarded = owners.guarded(vni, network);
    (Some(Served { vni, domain, forwarders, v4, v6, kept, guarded }), trouble)
}

fn good<T, E: ToString>(parsed: Result<T, E>, trouble: &mut Vec<String>) -> Option<T> {
    parsed.map_err(|error| trouble.push(error.to_string())).ok()
}

fn served4(network: &Network, trouble: &mut Vec<String>) -> Option<Served4> {
    let gateway = network.ip4_gateway.copied().flatten()?;
    let subnet = network.ip4_network.copied().flatten()?;
    if !subnet.contains(&gateway) {
        trouble.push(format!("the gateway {gateway} is not in {subnet}"));
        return None;
    }
    let mut range = None;
    if network.dhcp4.copied() == Some(true) {
        let ends = (network.dhcp4_start.copied().flatten(), network.dhcp4_end.copied().flatten());
        match ends {
            (Some(start), Some(end))
                if subnet.contains(&start) && subnet.contains(&end) && start <= end =>
            {
                range = Some((start, end));
            }
            (Some(start), Some(end)) => trouble.push(format!(
                "no addresses are given away: {start} to {end} is no range of {subnet}"
            )),
            (_, None) | (None, _) => {
                trouble.push("no addresses are given away: there is no range".to_owned());
            }
        }
    }
    Some(Served4 { gateway, network: subnet, range })
}

fn served6(network: &Network, trouble: &mut Vec<String>) -> Option<Served6> {
    let gateway = network.ip6_gateway.copied().flatten()?;
    let subnet = network.ip6_network.copied().flatten()?;
    if !subnet.contains(&gateway) {
        trouble.push(format!("the gateway {gateway} is not in {subnet}"));
        return None;
    }
    Some(Served6 { gateway, network: subnet, leases: network.dhcp6.copied() == Some(true) })
}

/// Of two that are kept the same address for, the first gets it: who, is the same on every node.
fn kept(network: &Network, v4: &Served4, trouble: &mut Vec<String>) -> Vec<Kept> {
    let mut taken = BTreeSet::from([v4.gateway]);
    let mut kept = Vec::new();
    for (mac, reservation) in &network.reservations {
        let Some(ip) = reservation.ip.copied().flatten() else { continue };
        if !v4.network.contains(&ip) {
            trouble.push(format!("{ip} cannot be kept for {mac}: it is not in {}", v4.network));
        } else if !taken.insert(ip) {
            trouble.push(format!("{ip} cannot be kept for {mac}: it is another's"));
        } else {
            let hostname = reservation.hostname.get().and_then(Option::as_ref);
            let hostname = hostname.and_then(|name| good(name.parse::<Hostname>(), trouble));
            kept.push(Kept { mac: *mac, ip, hostname });
        }
    }
    kept
}
