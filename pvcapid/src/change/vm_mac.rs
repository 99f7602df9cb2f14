//! Hardware addresses of VMs: in a network, each is one interface's.

use pvc_common::id::{MacAddress, VmUuid};
use pvc_common::view::View;
use pvc_domxml::{Interface, describe};

use crate::api::ApiError;

/// Refuses addresses that a definition of a VM adds to those that it `had` and that are not free: DHCP
/// and the switches could not tell two interfaces apart.
pub(super) fn check_macs(
    vm: VmUuid,
    had: &[Interface],
    now: &[Interface],
    view: &View,
) -> Result<(), ApiError> {
    for interface in now {
        let Some(mac) = mac(interface) else { continue };
        let count =
            |all: &[Interface]| all.iter().filter(|one| self::mac(one) == Some(mac)).count();
        if count(now) > count(had).max(1) {
            let why = format!(
                "Hardware address {mac} is in the VM definition more than once; expected one \
                 interface of each."
            );
            return refuse(&why);
        }
        if had.iter().any(|old| is_same(old, interface)) {
            continue;
        }
        if let Some(name) = holder(vm, interface, mac, view) {
            let network = if interface.vni.is_empty() { &interface.source } else { &interface.vni };
            let why =
                format!("Hardware address {mac} is in network '{network}' already: VM {name}'s.");
            return refuse(&why);
        }
    }
    Ok(())
}

fn refuse(why: &str) -> Result<(), ApiError> {
    Err(ApiError::refused("mac-in-use", format!("ERROR: {why}")))
}

fn mac(interface: &Interface) -> Option<MacAddress> {
    interface.mac.parse().ok()
}

/// Whether two interfaces have one address on one bridge. What a card's functions are connected to
/// is not the cluster's to know.
fn is_same(a: &Interface, b: &Interface) -> bool {
    let on_one = a.kind == "bridge" && b.kind == "bridge" && a.source == b.source;
    on_one && mac(a).is_some() && mac(a) == mac(b)
}

/// The name of another VM that has such an interface.
fn holder(vm: VmUuid, interface: &Interface, mac: MacAddress, view: &View) -> Option<String> {
    let mac = mac.to_string();
    let mut others = view.vms.iter().filter(|(other, _)| **other != vm);
    let found = others.find(|(_, other)| {
        let xml = other.details.as_deref().and_then(|details| details.xml.get());
        // To read a definition takes its time; most do not even mention the address.
        xml.is_some_and(|xml| {
            xml.to_ascii_lowercase().contains(&mac)
                && describe(xml)
                    .is_ok_and(|other| other.networks.iter().any(|one| is_same(one, interface)))
        })
    });
    found.map(|(uuid, vm)| vm.name.get().map_or_else(|| uuid.to_string(), ToString::to_string))
}
