//! What a definition holds, for people and for the API: never an error for an odd device.

use std::fmt;

use pvc_common::unit::{Mib, Vcpus};
use roxmltree::Node;

use crate::definition::vcpus;
use crate::device::{Controller, Disk, Interface, controller, disk, interface};
use crate::document::{at, attribute, child, children, parse, text};
use crate::error::DefinitionError;
use crate::memory::memory;

/// What a domain holds. What is not there or not understood is absent or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// What its author wrote about it.
    pub text: Option<String>,
    /// Its memory.
    pub memory: Option<Mib>,
    /// Its virtual processors.
    pub vcpus: Option<Vcpus>,
    /// How they are arranged.
    pub topology: Option<Topology>,
    /// Its interfaces, in order.
    pub networks: Vec<Interface>,
    /// Its disks and drives, in order.
    pub disks: Vec<Disk>,
    /// Its controllers, in order.
    pub controllers: Vec<Controller>,
    /// The machine it is made for.
    pub os: Os,
    /// The type of its first console, such as `pty`.
    pub console: Option<String>,
    /// Where its screen is shown.
    pub vnc: Option<Vnc>,
    /// The program that emulates it.
    pub emulator: Option<String>,
    /// Its features, such as `acpi`.
    pub features: Vec<String>,
    /// Files on the host to which libvirt logs its serial ports and consoles.
    pub serial_logs: Vec<String>,
}

impl Description {
    /// The RBD images it uses, as `pool/volume`, each once and in order.
    #[must_use]
    pub fn rbd_images(&self) -> Vec<&str> {
        let mut images = Vec::new();
        for disk in self.disks.iter().filter(|disk| disk.kind == "rbd") {
            if !disk.name.is_empty() && !images.contains(&disk.name.as_str()) {
                images.push(disk.name.as_str());
            }
        }
        images
    }
}

/// The machine a VM is made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Os {
    /// The kind of guest, such as `hvm`.
    pub kind: Option<String>,
    /// The processor architecture, such as `x86_64`.
    pub arch: Option<String>,
    /// The machine type, such as `pc-i440fx-7.2`.
    pub machine: Option<String>,
}

/// How virtual processors are arranged; shown as `sockets/cores/threads`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Sockets.
    pub sockets: u32,
    /// Cores of a socket.
    pub cores: u32,
    /// Threads of a core.
    pub threads: u32,
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.sockets, self.cores, self.threads)
    }
}

/// Where a VM's screen is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vnc {
    /// The address it listens on.
    pub listen: Option<String>,
    /// The port as it is written; `-1` while libvirt is to choose one.
    pub port: Option<String>,
}

/// Describes any domain.
///
/// # Errors
/// Only for what is not XML or not a `<domain>`.
pub fn describe(xml: &str) -> Result<Description, DefinitionError> {
    let document = parse(xml)?;
    Ok(description(document.root_element()))
}

/// Describes the domain of a root element.
pub(crate) fn description(root: Node<'_, '_>) -> Description {
    let os = at(root, &["os", "type"]);
    let mut description = Description {
        text: child(root, "description").and_then(text).map(str::to_owned),
        memory: child(root, "memory").and_then(|node| memory(node, "memory").ok()),
        vcpus: vcpus(root).ok(),
        topology: at(root, &["cpu", "topology"]).and_then(topology),
        os: Os {
            kind: os.and_then(text).map(str::to_owned),
            arch: os.and_then(|os| attribute(os, "arch")),
            machine: os.and_then(|os| attribute(os, "machine")),
        },
        features: child(root, "features").map(names).unwrap_or_default(),
        ..Description::default()
    };
    for devices in children(root, "devices") {
        for device in devices.children().filter(Node::is_element) {
            add(&mut description, device);
        }
    }
    description
}

fn add(description: &mut Description, device: Node<'_, '_>) {
    match device.tag_name().name() {
        "interface" => description.networks.push(interface(device)),
        "disk" => description.disks.push(disk(device)),
        "controller" => description.controllers.push(controller(device)),
        "emulator" => description.emulator = text(device).map(str::to_owned),
        "console" if description.console.is_none() => {
            description.console = attribute(device, "type");
        }
        "graphics" if description.vnc.is_none() && device.attribute("type") == Some("vnc") => {
            description.vnc = Some(vnc(device));
        }
        _ => {}
    }
    if matches!(device.tag_name().name(), "serial" | "console")
        && let Some(file) = child(device, "log").and_then(|log| attribute(log, "file"))
        && !description.serial_logs.contains(&file)
    {
        description.serial_logs.push(file);
    }
}

fn names(node: Node<'_, '_>) -> Vec<String> {
    node.children()
        .filter(Node::is_element)
        .map(|child| child.tag_name().name().to_owned())
        .collect()
}

fn topology(node: Node<'_, '_>) -> Option<Topology> {
    let count = |name| node.attribute(name)?.parse().ok();
    Some(Topology {
        sockets: count("sockets")?,
        cores: count("cores")?,
        threads: count("threads")?,
    })
}

fn vnc(node: Node<'_, '_>) -> Vnc {
    let listen = child(node, "listen").and_then(|listen| attribute(listen, "address"));
    Vnc { listen: attribute(node, "listen").or(listen), port: attribute(node, "port") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB1: &str = include_str!("../tests/web1.xml");

    #[test]
    fn a_whole_definition_is_described() {
        let web1 = describe(WEB1).unwrap();
        assert_eq!(web1.text.as_deref(), Some("Front end <1>"));
        assert_eq!(web1.memory, Some(Mib(2048)));
        assert_eq!(web1.vcpus, Some(Vcpus(2)));
        assert_eq!(web1.topology.unwrap().to_string(), "2/1/1");
        assert_eq!(web1.os.kind.as_deref(), Some("hvm"));
        assert_eq!(web1.os.arch.as_deref(), Some("x86_64"));
        assert_eq!(web1.os.machine.as_deref(), Some("pc-i440fx-7.2"));
        assert_eq!(web1.features, ["acpi", "apic", "pae"]);
        assert_eq!(web1.console.as_deref(), Some("pty"));
        assert_eq!(web1.emulator.as_deref(), Some("/usr/bin/qemu-system-x86_64"));
        assert_eq!(web1.serial_logs, ["/var/log/libvirt/web1.log"]);
        let vnc = web1.vnc.clone().unwrap();
        assert_eq!((vnc.listen.as_deref(), vnc.port.as_deref()), (Some("0.0.0.0"), Some("5900")));
        assert_eq!(web1.controllers.len(), 2);
        assert_eq!(web1.controllers[0].model.as_deref(), Some("virtio-scsi"));
        assert_eq!(web1.rbd_images(), ["vms/web1_sda", "vms/web1_sdb"]);
    }

    #[test]
    fn a_bare_domain_is_described_by_absence() {
        assert_eq!(describe("<domain/>").unwrap(), Description::default());
    }

    #[test]
    fn nonsense_in_one_place_hides_nothing_else() {
        let odd =
            WEB1.replace("'KiB'>2097152", "'KiB'>plenty").replace("sockets='2'", "sockets='x'");
        let odd = describe(&odd).unwrap();
        assert_eq!((odd.memory, odd.topology), (None, None));
        assert_eq!(odd.disks.len(), 3);
    }
}
