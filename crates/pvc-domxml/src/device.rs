//! Disks, interfaces and controllers of a domain.

use roxmltree::Node;

use crate::document::{attribute, child};

/// A disk or drive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// The protocol of a network disk, such as `rbd`; else libvirt's type, such as `file`.
    pub kind: String,
    /// What the guest sees: `disk`, `cdrom`, `floppy` or `lun`.
    pub device: String,
    /// `pool/volume` or a path; empty for a drive with nothing in it.
    pub name: String,
    /// Device name in the guest, such as `sda`.
    pub dev: String,
    /// Bus, such as `scsi`.
    pub bus: String,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// libvirt's type, such as `bridge`.
    pub kind: String,
    /// The network: a VNI, the name of a system network (`cluster`), `macvtap:<device>` or
    /// `hostdev:<device>`; empty if none can be told.
    pub vni: String,
    /// Its hardware address; empty if libvirt is to choose one.
    pub mac: String,
    /// What it is connected to: a bridge, a network or a host device.
    pub source: String,
    /// The card the guest sees, such as `virtio`; empty if unstated.
    pub model: String,
    /// The tap device on the host, of a running VM only.
    pub tap: Option<String>,
}

/// What QEMU calls the cards that it can show to a guest, and libvirt's own names for some of them.
const CARDS: [&str; 43] = [
    "82540EM",
    "82543GC",
    "82545EM",
    "Am79C970A",
    "e1000",
    "e1000-82540em",
    "e1000-82544gc",
    "e1000-82545em",
    "e1000e",
    "i82550",
    "i82551",
    "i82557a",
    "i82557b",
    "i82557c",
    "i82558a",
    "i82558b",
    "i82559a",
    "i82559b",
    "i82559c",
    "i82559er",
    "i82562",
    "i82801",
    "igb",
    "lan9118",
    "ne2k_isa",
    "ne2k_pci",
    "pcnet",
    "rtl8139",
    "scm91c111",
    "smc91c111",
    "spapr-vlan",
    "tulip",
    "usb-net",
    "virtio",
    "virtio-net",
    "virtio-net-pci",
    "virtio-net-pci-non-transitional",
    "virtio-net-pci-transitional",
    "virtio-non-transitional",
    "virtio-transitional",
    "vlance",
    "vmxnet",
    "vmxnet3",
];

/// What to offer to somebody who named a card that no guest can have.
pub const USUAL_CARDS: &str = "virtio, e1000e, e1000, igb, rtl8139 or vmxnet3";

/// Whether a guest can be shown a card of this model. A VM with another one does not start.
#[must_use]
pub fn is_card(model: &str) -> bool {
    CARDS.contains(&model)
}

/// A controller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// Its type, such as `scsi`.
    pub kind: String,
    /// Its model, such as `virtio-scsi`.
    pub model: Option<String>,
}

pub(crate) fn disk(node: Node<'_, '_>) -> Disk {
    let of = |name, attribute_name| child(node, name).and_then(|n| attribute(n, attribute_name));
    let kind = attribute(node, "type").unwrap_or_default();
    let kind = if kind == "network" { of("source", "protocol").unwrap_or(kind) } else { kind };
    let name =
        ["name", "file", "dev", "dir", "volume"].into_iter().find_map(|place| of("source", place));
    Disk {
        kind,
        device: attribute(node, "device").unwrap_or_else(|| "disk".to_owned()),
        name: name.unwrap_or_default(),
        dev: of("target", "dev").unwrap_or_default(),
        bus: of("target", "bus").unwrap_or_default(),
    }
}

pub(crate) fn interface(node: Node<'_, '_>) -> Interface {
    let of = |name, attribute_name| child(node, name).and_then(|n| attribute(n, attribute_name));
    let kind = attribute(node, "type").unwrap_or_default();
    let source = match kind.as_str() {
        "hostdev" => hostdev(node),
        _ => ["bridge", "dev", "network", "address", "path", "name"]
            .into_iter()
            .find_map(|place| of("source", place)),
    }
    .unwrap_or_default();
    let vni = match kind.as_str() {
        "bridge" => vni_of_bridge(&source).unwrap_or_default().to_owned(),
        "direct" => format!("macvtap:{source}"),
        "hostdev" => format!("hostdev:{source}"),
        _ => String::new(),
    };
    Interface {
        vni,
        mac: of("mac", "address").unwrap_or_default(),
        source,
        model: of("model", "type").unwrap_or_default(),
        tap: of("target", "dev"),
        kind,
    }
}

/// The virtual function an interface hands through: PVC's own element names it; else its PCI
/// address does.
fn hostdev(node: Node<'_, '_>) -> Option<String> {
    let named = child(node, "sriov_device").and_then(|n| n.text().map(|t| t.trim().to_owned()));
    named.or_else(|| {
        let address = child(child(node, "source")?, "address")?;
        let part = |name: &str| {
            let text = address.attribute(name).unwrap_or("0x0");
            u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
        };
        Some(format!(
            "{:04x}:{:02x}:{:02x}.{:x}",
            part("domain")?,
            part("bus")?,
            part("slot")?,
            part("function")?
        ))
    })
}

/// The network of a bridge: `vmbr1001` is 1001, `brcluster` is `cluster`.
fn vni_of_bridge(bridge: &str) -> Option<&str> {
    let name = bridge.trim_start_matches(['v', 'm']).strip_prefix("br")?;
    let plain = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    (!name.is_empty() && name.bytes().all(plain)).then_some(name)
}

pub(crate) fn controller(node: Node<'_, '_>) -> Controller {
    Controller {
        kind: attribute(node, "type").unwrap_or_default(),
        model: attribute(node, "model"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<T>(xml: &str, read: fn(Node<'_, '_>) -> T) -> T {
        let document = roxmltree::Document::parse(xml).unwrap();
        read(document.root_element())
    }

    fn net(xml: &str) -> (String, String) {
        let interface = of(xml, interface);
        (interface.vni, interface.source)
    }

    #[test]
    fn the_network_of_an_interface_is_told_by_its_bridge() {
        for (bridge, vni) in [
            ("vmbr1001", "1001"),
            ("brcluster", "cluster"),
            ("brupstream", "upstream"),
            ("docker0", ""),
            ("br", ""),
            ("vmbr-x", ""),
        ] {
            let xml = format!("<interface type='bridge'><source bridge='{bridge}'/></interface>");
            assert_eq!(net(&xml), (vni.to_owned(), bridge.to_owned()));
        }
    }

    #[test]
    fn interfaces_of_other_types_are_described_too() {
        let direct =
            "<interface type='direct'><source dev='ens1f0v3' mode='passthrough'/></interface>";
        assert_eq!(net(direct).0, "macvtap:ens1f0v3");
        let address = "<address type='pci' domain='0x0000' bus='0x3b' slot='0x10' function='0x3'/>";
        let bare = format!("<interface type='hostdev'><source>{address}</source></interface>");
        assert_eq!(net(&bare).0, "hostdev:0000:3b:10.3");
        let named = bare.replace("<source>", "<sriov_device>ens1f0v3</sriov_device><source>");
        assert_eq!(net(&named).0, "hostdev:ens1f0v3");
        let network = "<interface type='network'><source network='default'/></interface>";
        assert_eq!(net(network), (String::new(), "default".to_owned()));
        assert_eq!(of("<interface/>", interface), Interface::default());
    }

    #[test]
    fn an_empty_drive_is_a_disk_without_a_name() {
        let xml = "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>";
        let drive = of(xml, disk);
        assert_eq!((drive.name.as_str(), drive.dev.as_str()), ("", "hdc"));
        assert_eq!((drive.kind.as_str(), drive.device.as_str()), ("file", "cdrom"));
    }

    #[test]
    fn a_disk_is_named_by_its_source() {
        for (xml, kind, name) in [
            (
                "<disk type='network'><source protocol='rbd' name='vms/a_sda'/></disk>",
                "rbd",
                "vms/a_sda",
            ),
            ("<disk type='network'><source protocol='nbd' name='export'/></disk>", "nbd", "export"),
            ("<disk type='file'><source file='/a.img'/></disk>", "file", "/a.img"),
            ("<disk type='block'><source dev='/dev/sdx'/></disk>", "block", "/dev/sdx"),
            ("<disk type='network'/>", "network", ""),
        ] {
            let disk = of(xml, disk);
            assert_eq!((disk.kind.as_str(), disk.name.as_str()), (kind, name));
        }
    }
}
