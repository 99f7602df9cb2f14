//! New devices.

use pvc_common::id::{PciAddress, SriovName};

use super::EditError;
use super::device::disk_elements;
use super::splice::{Splice, apply, escape, set_attribute};
use crate::document::{child, parse_any};

/// An interface on a bridge.
#[must_use]
pub fn bridge_interface(bridge: &str, mac: &str, model: &str) -> String {
    format!(
        "<interface type='bridge'><mac address='{}'/><source bridge='{}'/>\
         <model type='{}'/></interface>",
        escape(mac),
        escape(bridge),
        escape(model)
    )
}

/// An interface on an SR-IOV function's own device, which no other VM can share.
#[must_use]
pub fn macvtap_interface(function: &SriovName, mac: &str, model: &str) -> String {
    format!(
        "<interface type='direct'><mac address='{}'/><source dev='{}' mode='passthrough'/>\
         <model type='{}'/></interface>",
        escape(mac),
        escape(function.as_str()),
        escape(model)
    )
}

/// An interface that is an SR-IOV function's hardware. Libvirt finds it by its place; PVC's own
/// element keeps its name.
#[must_use]
pub fn hostdev_interface(function: &SriovName, place: PciAddress, mac: &str) -> String {
    let [domain, bus, slot, number] = place.parts();
    format!(
        "<interface type='hostdev' managed='yes'><mac address='{}'/>\
         <source><address type='pci' domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' \
         function='0x{number}'/></source><sriov_device>{}</sriov_device></interface>",
        escape(mac),
        escape(function.as_str())
    )
}

/// A disk made like the VM's last one of the same kind (`rbd`, `file`, ...), so that secrets,
/// monitors and cache settings are the same, but with its own source, target and bus.
///
/// # Errors
/// If the text is no domain or the VM has no disk of that kind to take after.
pub(super) fn disk_like(
    xml: &str,
    kind: &str,
    name: &str,
    dev: &str,
    bus: &str,
) -> Result<String, EditError> {
    let mut disks = disk_elements(xml)?;
    // An inserted medium does not make a drive a disk.
    disks.retain(|(disk, _)| disk.kind == kind && disk.device == "disk" && !disk.name.is_empty());
    let Some((_, model)) = disks.pop() else {
        return Err(EditError::NotThere { which: format!("{kind} disk to take after") });
    };
    let document = parse_any(&model).map_err(EditError::NoDevice)?;
    let disk = document.root_element();
    let mut splices = Vec::new();
    for (place, attribute, value) in [
        ("source", if kind == "file" { "file" } else { "name" }, name),
        ("target", "dev", dev),
        ("target", "bus", bus),
    ] {
        if let Some(node) = child(disk, place) {
            splices.push(set_attribute(node, attribute, value));
        }
    }
    // Each belongs to one disk alone; libvirt makes them anew.
    for own in ["address", "alias", "serial", "wwn", "boot"] {
        splices.extend(child(disk, own).map(|node| Splice::replace(node.range(), "")));
    }
    Ok(apply(&model, splices))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB1: &str = include_str!("../../tests/web1.xml");

    #[test]
    fn a_new_interface_is_described_as_it_was_asked_for() {
        let nic = bridge_interface("vmbr42", "52:54:00:00:00:07", "e1000");
        let with = super::super::add_device(WEB1, &nic).unwrap();
        let nets = crate::describe(&with).unwrap().networks;
        let net = nets.last().unwrap();
        assert_eq!((net.vni.as_str(), net.model.as_str()), ("42", "e1000"));
    }

    #[test]
    fn an_interface_on_a_function_is_described_by_its_name_and_known_as_that_function() {
        use pvc_common::model::VmFunction;
        let name: SriovName = "ens1f0v3".parse().unwrap();
        let place: PciAddress = "0000:3b:02.3".parse().unwrap();
        let mac = "52:54:00:00:00:07";
        for (element, kind, vni) in [
            (macvtap_interface(&name, mac, "virtio"), "direct", "macvtap:ens1f0v3"),
            (hostdev_interface(&name, place, mac), "hostdev", "hostdev:ens1f0v3"),
        ] {
            let with = super::super::add_device(WEB1, &element).unwrap();
            let nets = crate::describe(&with).unwrap().networks;
            let net = nets.last().unwrap();
            assert_eq!((net.kind.as_str(), net.vni.as_str(), net.mac.as_str()), (kind, vni, mac));
            let [function] = &*VmFunction::of_definition(&with) else { panic!("{with}") };
            assert_eq!(function.name.as_ref(), Some(&name));
            assert_eq!(function.pci, (kind == "hostdev").then_some(place));
            assert_eq!(super::super::remove_device(&with, &element).unwrap(), WEB1);
        }
    }

    #[test]
    fn a_new_disk_takes_after_the_last_of_its_kind() {
        let first = WEB1.replacen(
            "<target dev='sdb' bus='scsi'/>",
            "<target dev='sdb' bus='scsi'/><boot order='1'/>",
            1,
        );
        let disk = disk_like(&first, "rbd", "vms/web1_sdc", "sdc", "virtio").unwrap();
        assert!(!disk.contains("boot"), "{disk}");
        let with = super::super::add_device(&first, &disk).unwrap();
        let description = crate::describe(&with).unwrap();
        assert_eq!(description.rbd_images(), ["vms/web1_sda", "vms/web1_sdb", "vms/web1_sdc"]);
        assert_eq!(description.disks[2].kind, "file", "the drive stays behind: it is older");
    }

    #[test]
    fn without_a_disk_to_take_after_there_is_none() {
        let loaded = WEB1.replace("<target dev='hdc'", "<source file='/x.iso'/><target dev='hdc'");
        let error = disk_like(&loaded, "file", "/a", "sdz", "scsi").unwrap_err();
        assert_eq!(error.to_string(), "the VM has no file disk to take after");
    }
}
