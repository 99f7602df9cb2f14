//! Addresses of a network that somebody has, which a change of it must respect.

use std::net::IpAddr;

use ipnet::Ipv4Net;
use pvc_common::id::MacAddress;
use pvc_common::model::Network;

use super::ip4::{Ip4, is_host};
use super::ip6::Ip6;
use super::refuse;
use crate::api::ApiError;

/// Refuses to leave reservations without their network, but for those that were outside of the one
/// `before`.
pub(super) fn reservations_suit(
    was: &Network,
    now: Option<Ipv4Net>,
    before: Option<Ipv4Net>,
) -> Result<(), ApiError> {
    for (mac, reservation) in &was.reservations {
        let Some(address) = reservation.ip.copied().flatten() else { continue };
        let what = format!("The reservation for {mac}: address");
        if before.is_some_and(|before| is_host(&what, address, before).is_err()) {
            continue;
        }
        let Some(network) = now else {
            let why = format!("There is a reservation of {address} for {mac}; remove it first.");
            return refuse("has-reservations", why);
        };
        is_host(&what, address, network)?;
    }
    Ok(())
}

/// Refuses a gateway on an address that is somebody's.
pub(super) fn gateway4_is_free(was: &Network, ip4: &Ip4) -> Result<(), ApiError> {
    let Some(gateway) = ip4.gateway else { return Ok(()) };
    let mut reserved = was.reservations.iter();
    if let Some((mac, _)) = reserved.find(|(_, one)| one.ip.copied().flatten() == Some(gateway)) {
        let why = format!("'{gateway}' is reserved for {mac}; it cannot be the gateway, too.");
        return refuse("address-in-use", why);
    }
    let mut leased = was.leases.iter();
    match leased.find(|(_, lease)| lease.ip.copied().flatten() == Some(gateway)) {
        Some((mac, _)) => leased_gateway(gateway.into(), Some(*mac)),
        None => Ok(()),
    }
}

/// The same for IPv6.
pub(super) fn gateway6_is_free(was: &Network, ip6: &Ip6) -> Result<(), ApiError> {
    let Some(gateway) = ip6.gateway else { return Ok(()) };
    match was.leases6.get(&gateway) {
        Some(lease) => leased_gateway(gateway.into(), lease.mac.copied().flatten()),
        None => Ok(()),
    }
}

fn leased_gateway(address: IpAddr, holder: Option<MacAddress>) -> Result<(), ApiError> {
    let holder = holder.map_or_else(String::new, |mac| format!(" to {mac}"));
    let why = format!(
        "'{address}' is leased{holder}; it cannot be the gateway, too. Remove that lease first if \
         nobody uses it."
    );
    refuse("address-in-use", why)
}
