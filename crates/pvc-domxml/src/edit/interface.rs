//! Adding and removing interfaces, by the network that they are in.

use pvc_common::id::{PciAddress, SriovName};

use super::EditError;
use super::build::{bridge_interface, hostdev_interface, macvtap_interface};
use super::device::{add_device, interface_elements, remove_device};

/// An interface that a VM is to have.
#[derive(Clone, Copy, Debug)]
pub struct NewInterface<'a> {
    /// What it is connected to.
    pub on: Connection<'a>,
    /// Its hardware address.
    pub mac: &'a str,
    /// The card that the guest sees, such as `virtio`; hardware is what it is.
    pub model: &'a str,
}

/// What an interface is connected to.
#[derive(Clone, Copy, Debug)]
pub enum Connection<'a> {
    /// A bridge, such as `vmbr1001`.
    Bridge(&'a str),
    /// The device of an SR-IOV function, which the host keeps.
    Macvtap(&'a SriovName),
    /// An SR-IOV function's hardware, by its name and its place.
    Hostdev(&'a SriovName, PciAddress),
}

/// What became of a definition that gained or lost an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceChange {
    /// The new definition.
    pub xml: String,
    /// The element of the interface that came or went, to give to or take from a running VM.
    pub interface: String,
}

/// Adds an interface behind the others.
///
/// # Errors
/// If the text is no domain or the VM has an interface of this hardware address already.
pub fn add_interface(xml: &str, new: &NewInterface<'_>) -> Result<InterfaceChange, EditError> {
    let NewInterface { mac, model, .. } = new;
    let interface = match new.on {
        Connection::Bridge(bridge) => bridge_interface(bridge, mac, model),
        Connection::Macvtap(function) => macvtap_interface(function, mac, model),
        Connection::Hostdev(function, place) => hostdev_interface(function, place, mac),
    };
    Ok(InterfaceChange { xml: add_device(xml, &interface)?, interface })
}

/// Removes the interface in a network, named as [`describe`] does, or of a hardware address, or of both.
///
/// [`describe`]: crate::describe
///
/// # Errors
/// If the text is no domain, the VM has no such interface, or several.
pub fn remove_interface(
    xml: &str,
    network: Option<&str>,
    mac: Option<&str>,
) -> Result<InterfaceChange, EditError> {
    let mut found = interface_elements(xml)?;
    found.retain(|(interface, _)| {
        network.is_none_or(|network| interface.vni == network)
            && mac.is_none_or(|mac| interface.mac.eq_ignore_ascii_case(mac))
    });
    let which = || {
        let mac = mac.map(|mac| format!(" {mac}")).unwrap_or_default();
        format!("interface{mac}{}", network.map(place).unwrap_or_default())
    };
    match &found[..] {
        [(_, interface)] => Ok(InterfaceChange {
            xml: remove_device(xml, interface)?,
            interface: interface.clone(),
        }),
        [] => Err(EditError::NotThere { which: which() }),
        several => {
            let macs: Vec<&str> = several.iter().map(|(one, _)| one.mac.as_str()).collect();
            Err(EditError::Several { which: which(), among: macs.join(", ") })
        }
    }
}

/// Where an interface is, in words.
fn place(network: &str) -> String {
    match network.split_once(':') {
        Some((_, function)) => format!(" on SR-IOV function {function}"),
        None => format!(" in network {network}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB1: &str = include_str!("../../tests/web1.xml");
    const NEW: NewInterface<'_> =
        NewInterface { on: Connection::Bridge("vmbr7"), mac: "52:54:00:00:00:07", model: "virtio" };

    #[test]
    fn an_interface_comes_and_goes_without_a_trace() {
        let with = add_interface(WEB1, &NEW).unwrap();
        let nets = crate::describe(&with.xml).unwrap().networks;
        assert_eq!(nets.iter().map(|net| net.vni.as_str()).collect::<Vec<_>>(), ["1001", "7"]);
        for (network, mac) in [
            (Some("7"), None),
            (None, Some("52:54:00:00:00:07")),
            (Some("7"), Some("52:54:00:00:00:07")),
        ] {
            let without = remove_interface(&with.xml, network, mac).unwrap();
            assert_eq!((without.xml.as_str(), &without.interface), (WEB1, &with.interface));
        }
        let twice = add_interface(&with.xml, &NEW).unwrap_err();
        assert_eq!(twice.to_string(), "the VM already has interface 52:54:00:00:00:07");
    }

    #[test]
    fn a_function_comes_and_goes_as_a_bridge_does() {
        let function: SriovName = "ens1f0v3".parse().unwrap();
        let place = "0000:3b:0a.2".parse().unwrap();
        for (on, network) in [
            (Connection::Macvtap(&function), "macvtap:ens1f0v3"),
            (Connection::Hostdev(&function, place), "hostdev:ens1f0v3"),
        ] {
            let with = add_interface(WEB1, &NewInterface { on, ..NEW }).unwrap();
            let nets = crate::describe(&with.xml).unwrap().networks;
            assert_eq!(nets.last().unwrap().vni, network);
            let without = remove_interface(&with.xml, Some(network), None).unwrap();
            assert_eq!((without.xml.as_str(), &without.interface), (WEB1, &with.interface));
        }
    }

    #[test]
    fn one_of_several_is_told_by_its_hardware_address() {
        let first = add_interface(WEB1, &NEW).unwrap().xml;
        let both =
            add_interface(&first, &NewInterface { mac: "52:54:00:00:00:AA", ..NEW }).unwrap();
        let error = remove_interface(&both.xml, Some("7"), None).unwrap_err();
        let told =
            "the VM has more than one interface in network 7: 52:54:00:00:00:07, 52:54:00:00:00:AA";
        assert_eq!(error.to_string(), told);
        let without = remove_interface(&both.xml, Some("7"), Some("52:54:00:00:00:aa")).unwrap();
        assert_eq!(without.xml, first);
    }

    #[test]
    fn what_is_not_there_is_not_removed() {
        for (network, mac, told) in [
            (Some("7"), None, "the VM has no interface in network 7"),
            (None, Some("52:54:00:00:00:07"), "the VM has no interface 52:54:00:00:00:07"),
            (
                Some("8"),
                Some("52:54:00:00:00:07"),
                "the VM has no interface 52:54:00:00:00:07 in network 8",
            ),
        ] {
            assert_eq!(remove_interface(WEB1, network, mac).unwrap_err().to_string(), told);
        }
    }
}
