//! SR-IOV functions as the tree holds them, and those that a VM's definition names.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::id::{MacAddress, PciAddress, SriovName, VmUuid};
use crate::state::VfLinkState;
use crate::zk::Seen;

/// The SR-IOV functions of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sriov {
    /// Its cards, by the names of their devices.
    pub pfs: BTreeMap<SriovName, Pf>,
    /// What they are divided into.
    pub vfs: BTreeMap<SriovName, Vf>,
}

/// A physical function: a card's port that is divided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pf {
    /// That it is there.
    pub znode: Seen<()>,
    /// Size of its packets.
    pub mtu: Seen<u32>,
    /// Into how many functions it is divided.
    pub vf_count: Seen<u32>,
}

/// A virtual function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vf {
    /// That it is there.
    pub znode: Seen<()>,
    /// The physical function it belongs to.
    pub pf: Seen<SriovName>,
    /// Size of its packets.
    pub mtu: Seen<u32>,
    /// The address it has now.
    pub mac: Seen<MacAddress>,
    /// The address of its hardware.
    pub phy_mac: Seen<MacAddress>,
    /// That it has settings.
    pub config: Seen<()>,
    /// Its settings.
    pub settings: VfSettings,
    /// That it has a place.
    pub pci: Seen<()>,
    /// Its place on the PCI bus: domain, bus, slot, function, in hex.
    pub pci_parts: [Seen<String>; 4],
    /// Whether a VM has it.
    pub used: Seen<bool>,
    /// The VM that has it.
    pub used_by: Seen<Option<VmUuid>>,
}

impl Vf {
    /// Its place on the PCI bus, if that is known.
    #[must_use]
    pub fn pci_address(&self) -> Option<PciAddress> {
        let [domain, bus, slot, function] = &self.pci_parts;
        PciAddress::of_parts([domain.get()?, bus.get()?, slot.get()?, function.get()?])
    }
}

/// What people set of a virtual function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VfSettings {
    /// The VLAN it is in; 0 for none.
    pub vlan_id: Seen<u32>,
    /// Its priority in the VLAN.
    pub vlan_qos: Seen<u32>,
    /// Least rate of sending, in Mbit/s; 0 for none.
    pub tx_rate_min: Seen<u32>,
    /// Greatest rate of sending, in Mbit/s; 0 for none.
    pub tx_rate_max: Seen<u32>,
    /// Whether packets with foreign sender addresses are dropped.
    pub spoof_check: Seen<bool>,
    /// What it tells its VM of the cable.
    pub link_state: Seen<VfLinkState>,
    /// Whether its VM may change its address and see all packets.
    pub trust: Seen<bool>,
    /// Whether its VM may ask how load is spread.
    pub query_rss: Seen<bool>,
}

/// In which way a VM has a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// By a macvtap device on the function's own: the host keeps the hardware.
    Macvtap,
    /// The hardware itself is handed to the VM, which cannot move live with it.
    Hostdev,
}

/// A function of a card that a VM's definition names. At least one of name and place is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmFunction {
    /// In which way the VM has it.
    pub attachment: Attachment,
    /// Its name: the device of a macvtap, or PVC's own element beside a PCI address.
    pub name: Option<SriovName>,
    /// Its place on the PCI bus, if the hardware is handed to the VM.
    pub pci: Option<PciAddress>,
}

impl VmFunction {
    /// Whether it is this one, or would take it.
    #[must_use]
    pub fn is(&self, name: &SriovName, place: Option<PciAddress>) -> bool {
        self.name.as_ref() == Some(name) || (self.pci.is_some() && self.pci == place)
    }

    /// All that a definition names, in order. What is no XML names none.
    #[must_use]
    pub fn of_definition(xml: &str) -> Vec<Self> {
        // Most VMs have none, and their definitions need not be parsed once more for that.
        if !xml.contains("hostdev") && !xml.contains("passthrough") {
            return Vec::new();
        }
        let Ok(document) = Document::parse(xml) else { return Vec::new() };
        let domain = document.root_element();
        let devices = domain.children().filter(|child| child.has_tag_name("devices"));
        devices.flat_map(|devices| devices.children()).filter_map(function).collect()
    }
}

/// The function that a device is, if it is one.
fn function(device: Node<'_, '_>) -> Option<VmFunction> {
    let source = child(device, "source")?;
    let function = match (device.tag_name().name(), device.attribute("type")) {
        ("interface", Some("direct")) => {
            let own = source.attribute("mode") == Some("passthrough");
            let name = source.attribute("dev").filter(|_| own)?.parse().ok();
            VmFunction { attachment: Attachment::Macvtap, name, pci: None }
        }
        ("interface", Some("hostdev")) => VmFunction {
            attachment: Attachment::Hostdev,
            name: child(device, "sriov_device").and_then(|n| n.text()?.trim().parse().ok()),
            pci: address(source),
        },
        ("hostdev", Some("pci")) => {
            VmFunction { attachment: Attachment::Hostdev, name: None, pci: address(source) }
        }
        _ => return None,
    };
    (function.name.is_some() || function.pci.is_some()).then_some(function)
}

fn child<'a, 'xml>(node: Node<'a, 'xml>, name: &str) -> Option<Node<'a, 'xml>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn address(source: Node<'_, '_>) -> Option<PciAddress> {
    let address = child(source, "address")?;
    let part = |name| address.attribute(name).unwrap_or("0");
    PciAddress::of_parts([part("domain"), part("bus"), part("slot"), part("function")])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(device: &str) -> Vec<String> {
        let xml = format!("<domain><devices>{device}</devices></domain>");
        let shown = |function: VmFunction| {
            let name = function.name.map(|name| name.to_string()).unwrap_or_default();
            let pci = function.pci.map(|pci| pci.to_string()).unwrap_or_default();
            format!("{:?} {name} {pci}", function.attachment)
        };
        VmFunction::of_definition(&xml).into_iter().map(shown).collect()
    }

    #[test]
    fn functions_are_found_in_each_of_their_forms() {
        let place = "<source><address type='pci' domain='0x0000' bus='0x3b' slot='0x0a' function='0x2'/></source>";
        let own = "<sriov_device>ens1f0v2</sriov_device>";
        for (device, expected) in [
            (
                "<interface type='direct'><source dev='ens1f0v2' mode='passthrough'/></interface>"
                    .to_owned(),
                "Macvtap ens1f0v2 ",
            ),
            (
                format!("<interface type='hostdev' managed='yes'>{place}{own}</interface>"),
                "Hostdev ens1f0v2 0000:3b:0a.2",
            ),
            (format!("<interface type='hostdev'>{place}</interface>"), "Hostdev  0000:3b:0a.2"),
            (
                format!("<hostdev mode='subsystem' type='pci'>{place}</hostdev>"),
                "Hostdev  0000:3b:0a.2",
            ),
        ] {
            assert_eq!(named(&device), [expected], "{device}");
        }
    }

    #[test]
    fn what_shares_its_device_or_is_none_names_no_function() {
        for device in [
            "<interface type='direct'><source dev='passthrough0' mode='bridge'/></interface>",
            "<interface type='bridge'><source bridge='vmbr7'/><alias name='hostdev0'/></interface>",
            "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/></source></hostdev>",
            "<interface type='hostdev'/>",
        ] {
            assert_eq!(named(device), Vec::<String>::new(), "{device}");
        }
        assert_eq!(VmFunction::of_definition("hostdev <no xml"), []);
    }
}
