//! New networks, and other settings for those that there are.

use std::net::IpAddr;

use ipnet::IpNet;
use pvc_common::id::{DnsName, Vni};
use pvc_common::state::NetworkType;
use pvc_common::view::View;
use pvc_common::zk::key;

use super::found::{Found, not_managed};
use super::held::{gateway4_is_free, gateway6_is_free, reservations_suit};
use super::ip4::{Ip4, Ip4Wish};
use super::ip6::{Ip6, Ip6Wish};
use super::reservation::{self, names_are_free};
use super::writes::Writes;
use super::{Given, Others, among, parse, refuse, settled};
use crate::api::ApiError;
use crate::change::Change;

/// What IPv6 asks of every link.
const MTU_OF_IP6: u32 = 1280;
/// The greatest number of a VLAN.
const VLAN_MAX: u32 = 4094;

/// What is asked of a network's settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// Its name for people.
    pub(crate) description: Option<String>,
    /// Size of its packets.
    pub(crate) mtu: Given<u32>,
    /// Its DNS domain; unset stands for the default of a managed one.
    pub(crate) domain: Given<String>,
    /// Name servers that are asked what its own does not know.
    pub(crate) name_servers: Option<Vec<IpAddr>>,
    /// Its IPv4 addresses.
    pub(crate) ip4: Ip4Wish,
    /// Its IPv6 addresses.
    pub(crate) ip6: Ip6Wish,
}

impl Wish {
    /// Refuses what a bridged network cannot have.
    fn suits_bridged(&self, name: &str) -> Result<(), ApiError> {
        let domain = self.domain.as_ref().is_some_and(Option::is_some);
        let servers = self.name_servers.as_ref().is_some_and(|servers| !servers.is_empty());
        if domain || servers {
            return not_managed(name, "its domain and name servers are");
        }
        if self.ip4.wants_any() || self.ip6.wants_any() {
            return not_managed(name, "its addresses are");
        }
        Ok(())
    }

    /// Whether it depends on the other networks.
    fn concerns_others(&self) -> bool {
        self.description.is_some()
            || self.domain.is_some()
            || self.ip4.network.is_some()
            || self.ip6.network.is_some()
    }

    fn is_empty(&self) -> bool {
        self.description.is_none()
            && self.mtu.is_none()
            && self.domain.is_none()
            && self.name_servers.is_none()
            && !self.ip4.is_any()
            && !self.ip6.is_any()
    }
}

/// Makes a network, with everything the tree holds of one.
pub(crate) fn add(
    found: &Found,
    kind: NetworkType,
    wish: &Wish,
    others: Others<'_>,
) -> Result<Change, ApiError> {
    let view = others.view;
    let (vni, was) = (found.vni, &found.network);
    let name = wish.description.clone().unwrap_or_default();
    if found.is_there() {
        let why = format!("A network with VNI '{vni}' already exists!");
        return refuse("network-exists", why);
    }
    among::name_is_free(view, vni, &name)?;
    if kind == NetworkType::Bridged {
        wish.suits_bridged(&name)?;
        if vni.get() > VLAN_MAX {
            let why =
                format!("VNI '{vni}' is no VLAN ID; a bridged network has one up to {VLAN_MAX}.");
            return refuse("bad-vlan", why);
        }
    }
    // What is given as unset and what is not given are the same here.
    let gateway = wish.ip6.gateway.filter(Option::is_some);
    let ip6 = Ip6::asked(was, &Ip6Wish { gateway, ..wish.ip6.clone() })?;
    let ip4 = Ip4::asked(was, &wish.ip4)?;
    ip4.check()?;
    ip6.check()?;
    apart(view, vni, wish)?;
    let mtu = wish.mtu.flatten();
    mtu_suits(mtu, &ip6)?;
    let mut writes = Writes::default();
    writes.put(&key::network(vni), &was.description, &name);
    writes.extend([
        key::network_type(vni).create(&kind),
        key::network_rules(vni).create(&()),
        key::network_rules_of(vni, key::Direction::In).create(&()),
        key::network_rules_of(vni, key::Direction::Out).create(&()),
        key::network_reservations(vni).create(&()),
        key::network_leases(vni).create(&()),
        key::network_leases6(vni).create(&()),
    ]);
    let domain = domain(wish.domain.clone().flatten(), kind, &name)?;
    let servers = wish.name_servers.clone().unwrap_or_default();
    writes.put(&key::network_mtu(vni), &was.mtu, &mtu);
    writes.put(&key::network_domain(vni), &was.domain, &domain);
    writes.put(&key::network_name_servers(vni), &was.name_servers, &servers);
    ip4.write(vni, was, &mut writes);
    ip6.write(vni, was, &mut writes);
    others.claim(&mut writes);
    Ok(Change { ops: writes.into_ops(), message: format!("Network '{name}' added successfully!") })
}

/// Changes what is asked of a network, and leaves the rest.
pub(crate) fn modify(
    asked_for: &str,
    found: &Found,
    wish: &Wish,
    others: Others<'_>,
) -> Result<Change, ApiError> {
    let view = others.view;
    let vni = found.vni;
    let was = &found.existing()?.network;
    if wish.is_empty() {
        return refuse("no-change", "No updates to apply.");
    }
    let kind = found.kind()?;
    if kind == NetworkType::Bridged {
        wish.suits_bridged(&found.name())?;
    }
    let mut writes = Writes::default();
    writes.check(&key::network_type(vni), &was.kind);
    if let Some(name) = &wish.description {
        among::name_is_free(view, vni, name)?;
        writes.put(&key::network(vni), &was.description, name);
    }
    if let Some(servers) = &wish.name_servers {
        writes.put(&key::network_name_servers(vni), &was.name_servers, servers);
    }
    if let Some(asked) = &wish.domain {
        let name = wish.description.clone().unwrap_or_else(|| found.name());
        let domain = domain(asked.clone(), kind, &name)?;
        suits_names(found, domain.as_deref(), view, &mut writes)?;
        writes.put(&key::network_domain(vni), &was.domain, &domain);
    }
    addresses(found, wish, view, &mut writes)?;
    if wish.concerns_others() {
        others.claim(&mut writes);
    }
    let message = format!("Network '{asked_for}' modified successfully!");
    Ok(Change { ops: writes.into_ops(), message })
}

/// Refuses a domain in which names of the network's reservations would be others', too.
fn suits_names(
    found: &Found,
    domain: Option<&str>,
    view: &View,
    writes: &mut Writes,
) -> Result<(), ApiError> {
    let Some(domain) = domain.and_then(|domain| domain.parse::<DnsName>().ok()) else {
        return Ok(());
    };
    if reservation::domain(&found.network).as_ref() == Some(&domain) {
        return Ok(());
    }
    let reservations = found.network.reservations.values();
    let names = reservations.filter_map(|one| one.hostname.get()?.as_deref());
    names_are_free(found.vni, &domain, names, view)?;
    // None shall be added meanwhile.
    let parent = key::network_reservations(found.vni);
    writes.check(&parent, &found.seen(&parent));
    Ok(())
}

/// Writes what is asked of addresses and of the size of packets, which depends on them.
fn addresses(found: &Found, wish: &Wish, view: &View, writes: &mut Writes) -> Result<(), ApiError> {
    if wish.ip4.is_any() {
        addresses4(found, &wish.ip4, writes)?;
    }
    if wish.ip6.is_any() || wish.mtu.is_some() {
        addresses6(found, wish, writes)?;
    }
    apart(view, found.vni, wish)
}

/// Writes what is asked of IPv4 addresses. What was wrong before keeps nothing else from being changed.
fn addresses4(found: &Found, wish: &Ip4Wish, writes: &mut Writes) -> Result<(), ApiError> {
    let (vni, was) = (found.vni, &found.network);
    let ip4 = Ip4::asked(was, wish)?;
    // Of what cannot be understood nobody knows that it was wrong.
    let before = Ip4::asked(was, &Ip4Wish::default()).ok();
    ip4.check_since(before.as_ref())?;
    let has_new_gateway = before.is_none_or(|before| before.gateway != ip4.gateway);
    if has_new_gateway {
        gateway4_is_free(was, &ip4)?;
    }
    if has_new_gateway || before.is_none_or(|before| before.network != ip4.network) {
        let before = before.and_then(|before| before.network);
        reservations_suit(was, ip4.network, before)?;
        // None shall be added meanwhile.
        let parent = key::network_reservations(vni);
        writes.check(&parent, &found.seen(&parent));
    }
    ip4.write(vni, was, writes);
    Ok(())
}

/// The same for IPv6 addresses and the size of packets.
fn addresses6(found: &Found, wish: &Wish, writes: &mut Writes) -> Result<(), ApiError> {
    let (vni, was) = (found.vni, &found.network);
    let ip6 = Ip6::asked(was, &wish.ip6)?;
    let mtu = settled(wish.mtu, &was.mtu, "MTU")?;
    let before = Ip6::asked(was, &Ip6Wish::default()).ok();
    if before != Some(ip6) {
        ip6.check()?;
    }
    if before.is_none_or(|before| before.gateway != ip6.gateway) {
        gateway6_is_free(was, &ip6)?;
    }
    let same_network = before.is_some_and(|before| before.network == ip6.network);
    if !same_network || was.mtu.copied() != Some(mtu) {
        mtu_suits(mtu, &ip6)?;
    }
    writes.put(&key::network_mtu(vni), &was.mtu, &mtu);
    ip6.write(vni, was, writes);
    Ok(())
}

/// Refuses networks that are asked for and are not free.
fn apart(view: &View, vni: Vni, wish: &Wish) -> Result<(), ApiError> {
    let ip4 = wish.ip4.network.flatten().map(IpNet::from);
    let ip6 = wish.ip6.network.flatten().map(IpNet::from);
    ip4.into_iter().chain(ip6).try_for_each(|own| among::apart(view, vni, own))
}

/// A managed network has a domain, named after itself if need be.
fn domain(
    asked: Option<String>,
    kind: NetworkType,
    name: &str,
) -> Result<Option<String>, ApiError> {
    match (asked, kind) {
        (None, NetworkType::Bridged) => Ok(None),
        (Some(domain), _) => Ok(Some(domain)),
        (None, NetworkType::Managed) => {
            let default = format!("{name}.local");
            parse::domain(&default).map(Some).or_else(|_| {
                let why = format!(
                    "A domain must be given: '{default}' would be none, for a domain is made of \
                     letters, digits, underscores, inner hyphens and dots."
                );
                refuse("no-domain", why)
            })
        }
    }
}

fn mtu_suits(mtu: Option<u32>, ip6: &Ip6) -> Result<(), ApiError> {
    match mtu.filter(|mtu| *mtu < MTU_OF_IP6 && ip6.network.is_some()) {
        None => Ok(()),
        Some(mtu) => {
            let why = format!("MTU {mtu} is too small for IPv6; expected at least {MTU_OF_IP6}.");
            refuse("small-mtu", why)
        }
    }
}
