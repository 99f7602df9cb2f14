//! Interfaces of VMs in networks of VMs.

use roxmltree::{Document, Node};

use crate::id::{MacAddress, Vni};

/// What the bridge of a network is called, before the network's number.
const BRIDGE: &str = "vmbr";

/// An interface of a VM in a network, as its definition names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VmInterface {
    /// The network.
    pub vni: Vni,
    /// Its hardware address there.
    pub mac: MacAddress,
}

impl VmInterface {
    /// All that a definition names, in order. What is no XML names none.
    #[must_use]
    pub fn of_definition(xml: &str) -> Vec<Self> {
        // Others need not be parsed once more for that.
        if !xml.contains(BRIDGE) {
            return Vec::new();
        }
        let Ok(document) = Document::parse(xml) else { return Vec::new() };
        let domain = document.root_element();
        let devices = domain.children().filter(|child| child.has_tag_name("devices"));
        devices.flat_map(|devices| devices.children()).filter_map(interface).collect()
    }
}

/// The interface that a device is, if it is one in a network of VMs.
fn interface(device: Node<'_, '_>) -> Option<VmInterface> {
    if !device.has_tag_name("interface") || device.attribute("type") != Some("bridge") {
        return None;
    }
    let said = |element, attribute| {
        let mut children = device.children();
        children.find(|child| child.has_tag_name(element))?.attribute(attribute)
    };
    let vni = said("source", "bridge")?.strip_prefix(BRIDGE)?.parse().ok()?;
    let mac = said("mac", "address")?.parse().ok()?;
    Some(VmInterface { vni, mac })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_in_networks_are_found_and_nothing_else() {
        let mac = "<mac address='52:54:00:00:00:0A'/>";
        let xml = format!(
            "<domain><devices><disk/>\
             <interface type='bridge'>{mac}<source bridge='vmbr7'/></interface>\
             <interface type='bridge'>{mac}<source bridge='brcluster'/></interface>\
             <interface type='bridge'>{mac}<source bridge='vmbrx'/></interface>\
             <interface type='bridge'><source bridge='vmbr8'/></interface>\
             <interface type='direct'>{mac}<source dev='vmbr9'/></interface>\
             </devices></domain>"
        );
        let found = VmInterface::of_definition(&xml);
        let expected =
            VmInterface { vni: "7".parse().unwrap(), mac: "52:54:00:00:00:0a".parse().unwrap() };
        assert_eq!(found, [expected]);
        assert_eq!(VmInterface::of_definition("vmbr7 <no xml"), []);
    }
}
