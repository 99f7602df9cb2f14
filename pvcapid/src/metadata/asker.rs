//! Which VM asks, by the address it asks from.

use std::net::{IpAddr, Ipv4Addr};

use pvc_common::id::{MacAddress, VmUuid, Vni};
use pvc_common::model::Network;
use pvc_common::state::NetworkType;
use pvc_domxml::describe;

use crate::image::{Shown, View};

/// The VM that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) uuid: VmUuid,
    pub(crate) name: String,
    pub(crate) profile: Option<String>,
    pub(crate) mac: MacAddress,
    pub(crate) ip: Ipv4Addr,
}

/// Which VM asks from an address.
///
/// # Errors
/// A sentence for the VM's user that says what is missing. What two could be is nobody: each would be
/// told what concerns the other.
pub(crate) fn asker(view: &View, ip: Ipv4Addr) -> Result<Asker, String> {
    let holders = view
        .networks
        .iter()
        .filter_map(|(vni, network)| holder(network, ip).map(|mac| (*vni, mac)));
    let (vni, mac) = only(holders).map_err(|many| match many {
        false => format!("No network has a DHCP lease or reservation for {ip}."),
        true => format!("More than one network has {ip}."),
    })?;
    let vms = view.vms_by_uuid().iter().filter(|vm| has_interface(vm, vni, mac));
    let vm = only(vms).map_err(|many| match many {
        false => format!("No VM has the interface {mac}, to which {ip} belongs."),
        true => format!("More than one VM has the interface {mac}."),
    })?;
    let details = vm.vm().details.as_ref();
    Ok(Asker {
        uuid: vm.uuid(),
        name: vm.name().to_owned(),
        profile: details.and_then(|details| details.profile.get().cloned().flatten()),
        mac,
        ip,
    })
}

/// The managed network that an address is of.
pub(super) fn network_of(view: &View, ip: IpAddr) -> Option<Vni> {
    let mut networks = view.networks.iter();
    networks.find(|(_, network)| serves(network, ip)).map(|(vni, _)| *vni)
}

/// Whether an address is a managed network's own.
fn serves(network: &Network, ip: IpAddr) -> bool {
    network.kind.copied() == Some(NetworkType::Managed) && network.has(ip) == Some(true)
}

/// The only one there is; otherwise whether there are many.
fn only<T>(mut all: impl Iterator<Item = T>) -> Result<T, bool> {
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(false),
        (Some(_), Some(_)) => Err(true),
    }
}

/// To whom an address of a network belongs. A lease says who has it, a reservation who shall; neither does
/// of an address that is the network's no more, and may be another's.
fn holder(network: &Network, ip: Ipv4Addr) -> Option<MacAddress> {
    if !serves(network, IpAddr::V4(ip)) {
        return None;
    }
    let has = |found: Option<Option<Ipv4Addr>>| found.flatten() == Some(ip);
    let lease = network.leases.iter().find(|(_, lease)| has(lease.ip.copied()));
    let kept = network.reservations.iter().find(|(_, kept)| has(kept.ip.copied()));
    lease.map(|(mac, _)| *mac).or(kept.map(|(mac, _)| *mac))
}

/// Whether a VM has this interface in this network.
fn has_interface(vm: &Shown, vni: Vni, mac: MacAddress) -> bool {
    let details = vm.vm().details.as_ref();
    let Some(xml) = details.and_then(|details| details.xml.get()) else { return false };
    // Reading all definitions for every question would take a processor for seconds.
    if !holds(xml.as_bytes(), mac.to_string().as_bytes()) {
        return false;
    }
    let Ok(described) = describe(xml) else { return false };
    let vni = vni.to_string();
    let mut networks = described.networks.iter();
    networks.any(|interface| interface.vni == vni && interface.mac.parse() == Ok(mac))
}

/// Whether a text holds a word, in upper or lower case.
fn holds(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}
