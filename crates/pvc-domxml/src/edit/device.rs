//! Adding, finding and removing devices.

use roxmltree::{Document, Node};

use super::EditError;
use super::splice::{append, apply, insert_after, remove, set_content};
use crate::device::{Disk, Interface, disk, interface};
use crate::document::{child, children, parse, parse_any};
use crate::error::DefinitionError;

/// Adds a device, given as its element, behind the last one of its kind.
///
/// # Errors
/// If either text is not what it should be, or there is an interface of the same hardware
/// address or a disk of the same target already.
pub fn add_device(xml: &str, device: &str) -> Result<String, EditError> {
    let device = device.trim();
    let new = parse_any(device).map_err(EditError::NoDevice)?;
    let new = new.root_element();
    let element = new.tag_name().name();
    let document = parse(xml)?;
    let devices = devices(&document)?;
    if let Some(identity) = Identity::of(new)
        && children(devices, element).any(|old| Identity::of(old).as_ref() == Some(&identity))
    {
        return Err(EditError::AlreadyThere { which: identity.to_string() });
    }
    let splice = match children(devices, element).last() {
        Some(last) => insert_after(xml, last, device),
        None => append(xml, devices, device),
    };
    Ok(apply(xml, vec![splice]))
}

/// Removes the device that an element names: an interface by its hardware address, a disk by
/// its target.
///
/// # Errors
/// If either text is not what it should be, or there is no such device.
pub fn remove_device(xml: &str, device: &str) -> Result<String, EditError> {
    let wanted = parse_any(device).map_err(EditError::NoDevice)?;
    let wanted = wanted.root_element();
    let element = wanted.tag_name().name();
    let identity = Identity::of(wanted).ok_or_else(|| EditError::Nameless {
        element: element.to_owned(),
        lacks: Identity::what(element),
    })?;
    let document = parse(xml)?;
    let devices = devices(&document)?;
    let found =
        children(devices, element).find(|old| Identity::of(*old).as_ref() == Some(&identity));
    let found = found.ok_or_else(|| EditError::NotThere { which: identity.to_string() })?;
    let only = devices.children().filter(Node::is_element).count() == 1;
    let splice = if only { set_content(xml, devices, "") } else { remove(xml, found) };
    Ok(apply(xml, vec![splice]))
}

/// The interfaces, each with its element's text.
///
/// # Errors
/// If the text is no domain.
pub fn interface_elements(xml: &str) -> Result<Vec<(Interface, String)>, EditError> {
    elements(xml, "interface", interface)
}

/// The disks and drives, each with its element's text.
///
/// # Errors
/// If the text is no domain.
pub fn disk_elements(xml: &str) -> Result<Vec<(Disk, String)>, EditError> {
    elements(xml, "disk", disk)
}

fn elements<T>(
    xml: &str,
    element: &str,
    read: fn(Node<'_, '_>) -> T,
) -> Result<Vec<(T, String)>, EditError> {
    let document = parse(xml)?;
    let Some(devices) = child(document.root_element(), "devices") else {
        return Ok(Vec::new());
    };
    let elements = children(devices, element);
    Ok(elements.map(|node| (read(node), xml[node.range()].to_owned())).collect())
}

fn devices<'a, 'input>(document: &'a Document<'input>) -> Result<Node<'a, 'input>, EditError> {
    let devices = child(document.root_element(), "devices");
    Ok(devices.ok_or(DefinitionError::Missing { element: "devices" })?)
}

/// What tells devices of one kind apart.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    Mac(String),
    Target(String),
}

impl Identity {
    fn of(node: Node<'_, '_>) -> Option<Self> {
        match node.tag_name().name() {
            "interface" => {
                let mac = child(node, "mac")?.attribute("address")?;
                Some(Self::Mac(mac.to_ascii_lowercase()))
            }
            "disk" => Some(Self::Target(child(node, "target")?.attribute("dev")?.to_owned())),
            _ => None,
        }
    }

    fn what(element: &str) -> &'static str {
        match element {
            "interface" => "hardware address",
            "disk" => "target",
            _ => "identity known here",
        }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mac(mac) => write!(f, "interface {mac}"),
            Self::Target(dev) => write!(f, "disk {dev}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB1: &str = include_str!("../../tests/web1.xml");
    const NIC: &str = "<interface type='bridge'><mac address='52:54:00:AA:00:01'/>\
                       <source bridge='vmbr7'/></interface>";

    #[test]
    fn a_device_comes_after_the_last_of_its_kind_and_goes_without_a_trace() {
        let with = add_device(WEB1, NIC).unwrap();
        let nets = crate::describe(&with).unwrap().networks;
        assert_eq!(nets.iter().map(|net| net.vni.as_str()).collect::<Vec<_>>(), ["1001", "7"]);
        assert!(with.contains(&format!("    </interface>\n    {NIC}\n    <serial")), "{with}");
        assert_eq!(remove_device(&with, &NIC.to_ascii_lowercase()).unwrap(), WEB1);
    }

    #[test]
    fn the_first_device_and_the_last_can_come_and_go() {
        for empty in ["<domain><devices/></domain>", "<domain><devices></devices></domain>"] {
            let with = add_device(empty, NIC).unwrap();
            assert_eq!(crate::describe(&with).unwrap().networks.len(), 1);
            let without = remove_device(&with, NIC).unwrap();
            assert_eq!(without, "<domain><devices></devices></domain>");
        }
        let one_line = format!("<domain><devices><serial/>{NIC}</devices></domain>");
        assert_eq!(
            remove_device(&one_line, NIC).unwrap(),
            "<domain><devices><serial/></devices></domain>"
        );
    }

    #[test]
    fn no_two_devices_share_an_address_or_target() {
        let with = add_device(WEB1, NIC).unwrap();
        let error = add_device(&with, NIC).unwrap_err();
        assert_eq!(error.to_string(), "the VM already has interface 52:54:00:aa:00:01");
        let disk = "<disk type='file'><source file='/x'/><target dev='sda'/></disk>";
        assert_eq!(add_device(WEB1, disk).unwrap_err().to_string(), "the VM already has disk sda");
    }

    #[test]
    fn what_is_not_there_or_not_named_is_not_removed() {
        let error = remove_device(WEB1, NIC).unwrap_err();
        assert_eq!(error.to_string(), "the VM has no interface 52:54:00:aa:00:01");
        let error = remove_device(WEB1, "<interface type='bridge'/>").unwrap_err();
        assert_eq!(
            error.to_string(),
            "<interface> has no hardware address, so it cannot be told from others"
        );
        assert!(matches!(remove_device(WEB1, "<interface"), Err(EditError::NoDevice(_))));
    }

    #[test]
    fn elements_are_found_with_their_own_text() {
        let disks = disk_elements(WEB1).unwrap();
        assert_eq!(disks.len(), 3);
        assert_eq!(disks[1].0.name, "vms/web1_sdb");
        assert!(WEB1.contains(&disks[1].1));
        assert_eq!(interface_elements("<domain/>").unwrap(), []);
    }
}
