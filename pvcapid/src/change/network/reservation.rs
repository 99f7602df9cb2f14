//! Addresses that a network keeps for interfaces, and those that DHCP gave away.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use pvc_common::id::{DnsName, MacAddress, Vni};
use pvc_common::model::{Lease, Network, Reservation};
use pvc_common::view::View;
use pvc_common::zk::{Seen, key};

use super::found::Found;
use super::ip4::is_host;
use super::writes::Writes;
use super::{Others, parse, refuse, settled};
use crate::api::ApiError;
use crate::change::Change;

/// What a reservation's own key holds.
const STATIC: &str = "static";

/// The name that a network's gateway has in its domain.
const GATEWAY: &str = "gateway";

/// An address that shall be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewReservation {
    /// For whom.
    pub(crate) mac: MacAddress,
    /// The address.
    pub(crate) ip: Ipv4Addr,
    /// The name that goes with it.
    pub(crate) hostname: Option<String>,
}

/// Keeps an address for an interface.
pub(crate) fn add_reservation(
    found: &Found,
    new: &NewReservation,
    others: Others<'_>,
) -> Result<Change, ApiError> {
    let vni = found.vni;
    found.existing()?.managed("its addresses are")?;
    let was = &found.network;
    let Some(network) = settled(None, &was.ip4_network, "IPv4 network")? else {
        return refuse(
            "no-ip4-network",
            format!("Network '{}' has no IPv4 network.", found.name()),
        );
    };
    is_host("Address", new.ip, network)?;
    if settled(None, &was.ip4_gateway, "IPv4 gateway")? == Some(new.ip) {
        return refuse("address-in-use", format!("Address '{}' is the network's gateway.", new.ip));
    }
    if found.has(&key::reservation(vni, new.mac)) {
        let why = format!("A reservation with MAC '{}' already exists!", new.mac);
        return refuse("mac-in-use", why);
    }
    apart(found, new)?;
    name_is_free(found, new, others.view)?;
    let mut writes = Writes::default();
    let parent = key::network_reservations(vni);
    writes.claim(&parent, &found.seen(&parent));
    writes.check(&key::network_type(vni), &was.kind);
    writes.check(&key::network_ip4_network(vni), &was.ip4_network);
    writes.check(&key::network_ip4_gateway(vni), &was.ip4_gateway);
    writes.extend([
        key::reservation(vni, new.mac).create(&STATIC.to_owned()),
        key::reservation_ip(vni, new.mac).create(&Some(new.ip)),
        key::reservation_hostname(vni, new.mac).create(&new.hostname),
    ]);
    if new.hostname.is_some() {
        // The domain is what the name was held against.
        writes.check(&key::network_domain(vni), &was.domain);
        others.claim(&mut writes);
    }
    let message = format!("DHCP reservation '{}' added successfully!", new.mac);
    Ok(Change { ops: writes.into_ops(), message })
}

/// Refuses an address or a name that another interface has.
fn apart(found: &Found, new: &NewReservation) -> Result<(), ApiError> {
    let named = |name: &Seen<Option<String>>| match (name.get(), &new.hostname) {
        (Some(Some(name)), Some(new)) => name.eq_ignore_ascii_case(new),
        _ => false,
    };
    for (mac, Reservation { ip, hostname, .. }) in &found.network.reservations {
        if ip.copied().flatten() == Some(new.ip) {
            let why = format!("Address '{}' is reserved for {mac} already.", new.ip);
            return refuse("address-in-use", why);
        }
        if named(hostname) {
            let name = new.hostname.as_deref().unwrap_or_default();
            let why = format!("Hostname '{name}' is that of the reservation for {mac} already.");
            return refuse("hostname-in-use", why);
        }
    }
    let leased = found
        .network
        .leases
        .iter()
        .find(|(mac, lease)| **mac != new.mac && lease.ip.copied().flatten() == Some(new.ip));
    match leased {
        None => Ok(()),
        Some((mac, _)) => {
            let why = format!(
                "Address '{}' is leased to {mac}; remove that lease first if nobody uses it.",
                new.ip
            );
            refuse("address-in-use", why)
        }
    }
}

/// Refuses a name that is the gateway's or, in a network of the same domain, another interface's: only one
/// would have it in the DNS.
fn name_is_free(found: &Found, new: &NewReservation, view: &View) -> Result<(), ApiError> {
    let Some(name) = &new.hostname else { return Ok(()) };
    if name.eq_ignore_ascii_case(GATEWAY) {
        return refuse("hostname-in-use", format!("Hostname '{name}' is the gateway's."));
    }
    let Some(domain) = domain(&found.network) else { return Ok(()) };
    names_are_free(found.vni, &domain, [name.as_str()].into_iter(), view)
}

/// Refuses names for a network in a domain, which another network's reservations have there.
pub(super) fn names_are_free<'a>(
    vni: Vni,
    domain: &DnsName,
    mut names: impl Iterator<Item = &'a str>,
    view: &View,
) -> Result<(), ApiError> {
    let others = view.networks.iter().filter(|(other, _)| **other != vni);
    let others = others.filter(|(_, other)| self::domain(other).as_ref() == Some(domain));
    let mut taken = BTreeMap::new();
    for (vni, other) in others {
        for (mac, one) in &other.reservations {
            let name = one.hostname.get().and_then(Option::as_deref);
            taken.extend(name.map(|name| (name.to_ascii_lowercase(), (mac, vni, other))));
        }
    }
    let found = names.find_map(|name| Some((name, taken.get(&name.to_ascii_lowercase())?)));
    let Some((name, (mac, vni, other))) = found else { return Ok(()) };
    let network = other.description.get().cloned().unwrap_or_else(|| vni.to_string());
    let why = format!(
        "Hostname '{name}' is that of the reservation for {mac} in network '{network}' already, \
         which has the same domain '{domain}'."
    );
    refuse("hostname-in-use", why)
}

pub(super) fn domain(network: &Network) -> Option<DnsName> {
    network.domain.get()?.as_ref()?.parse().ok()
}

/// Whose reservation or lease is meant.
enum Whose {
    Mac(MacAddress),
    Ip(Ipv4Addr),
    Ip6(Ipv6Addr),
    Name(String),
}

impl Whose {
    fn of(text: &str) -> Self {
        let mac = text.parse().map(Self::Mac);
        let ip = || text.parse().map(Self::Ip);
        let ip6 = || text.parse().map(Self::Ip6);
        mac.or_else(|_| ip()).or_else(|_| ip6()).unwrap_or_else(|_| Self::Name(text.to_owned()))
    }

    fn fits(
        &self,
        mac: MacAddress,
        ip: &Seen<Option<Ipv4Addr>>,
        hostname: &Seen<Option<String>>,
    ) -> bool {
        match self {
            Self::Mac(wanted) => *wanted == mac,
            Self::Ip(wanted) => ip.copied().flatten() == Some(*wanted),
            // These have none, nor a reservation.
            Self::Ip6(_) => false,
            Self::Name(wanted) => {
                let name = hostname.get().and_then(Option::as_ref);
                name.is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            }
        }
    }
}

/// Removes a reservation, or else a lease, by its hardware address, address or name.
pub(crate) fn remove_lease(found: &Found, text: &str) -> Result<Change, ApiError> {
    let (vni, whose) = (found.existing()?.vni, Whose::of(text));
    if let Whose::Ip6(ip) = whose
        && found.network.leases6.contains_key(&ip)
    {
        let message = format!("DHCP dynamic lease '{ip}' removed successfully!");
        return Ok(Change { ops: found.deletes(&key::lease6(vni, ip)), message });
    }
    let reserved = found.network.reservations.iter();
    let reserved =
        reserved.filter(|(mac, Reservation { ip, hostname, .. })| whose.fits(**mac, ip, hostname));
    if let Some(mac) = only(text, reserved.map(|(mac, _)| *mac).collect())? {
        let mut writes = Writes::default();
        let parent = key::network_reservations(vni);
        writes.claim(&parent, &found.seen(&parent));
        writes.extend(found.deletes(&key::reservation(vni, mac)));
        let message = format!("DHCP static reservation '{mac}' removed successfully!");
        return Ok(Change { ops: writes.into_ops(), message });
    }
    let leases = found.network.leases.iter();
    let leases = leases.filter(|(mac, Lease { ip, hostname, .. })| whose.fits(**mac, ip, hostname));
    match only(text, leases.map(|(mac, _)| *mac).collect())? {
        Some(mac) => {
            let message = format!("DHCP dynamic lease '{mac}' removed successfully!");
            Ok(Change { ops: found.deletes(&key::lease(vni, mac)), message })
        }
        None => {
            let why = format!(
                "There is no DHCP reservation or lease {} in network '{}'.",
                parse::quoted(text),
                found.name()
            );
            refuse("no-such-lease", why)
        }
    }
}

/// The only one, if there is any.
fn only(text: &str, macs: Vec<MacAddress>) -> Result<Option<MacAddress>, ApiError> {
    if macs.len() < 2 {
        return Ok(macs.first().copied());
    }
    let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
    let why = format!("{} stands for several: {}.", parse::quoted(text), macs.join(", "));
    refuse("ambiguous", why)
}
