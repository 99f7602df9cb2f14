//! What a VM needs of a node.

use roxmltree::{Document, Node};

use crate::unit::{Mib, Vcpus};
use crate::zk::BadText;

/// What a VM needs of a node, from its definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Memory.
    pub memory: Mib,
    /// Virtual processors.
    pub vcpus: Vcpus,
    /// Whether all that it can write to are RBD volumes, of which it has one at least: then
    /// keeping its old QEMU from Ceph keeps it from writing.
    pub rbd_only: bool,
}

impl Resources {
    /// Reads them from libvirt domain XML.
    ///
    /// # Errors
    /// When the text is no XML or says no amount; the message says what is missing.
    pub fn of_definition(xml: &str) -> Result<Self, BadText> {
        let document =
            Document::parse(xml).map_err(|error| BadText(format!("not XML: {error}")))?;
        let domain = document.root_element();
        let memory = element(domain, "memory")?;
        let vcpu = element(domain, "vcpu")?;
        let (memory, vcpus) = (memory_of(memory)?, Vcpus(amount(vcpu)?));
        Ok(Self { memory, vcpus, rbd_only: writes_to_rbd_only(domain) })
    }
}

/// Whether a VM has an RBD volume. One whose definition is no XML may have.
#[must_use]
pub fn uses_rbd(xml: &str) -> bool {
    let Ok(document) = Document::parse(xml) else { return true };
    document.descendants().any(|element| {
        element.has_tag_name("source") && element.attribute("protocol") == Some("rbd")
    })
}

/// Disks that cannot be written to do not count; everything that is not a disk and could be
/// written to (a file system, a device of the host) does.
fn writes_to_rbd_only(domain: Node<'_, '_>) -> bool {
    let devices = domain.children().filter(|child| child.has_tag_name("devices"));
    let mut rbd = 0_usize;
    for device in devices.flat_map(|devices| devices.children()).filter(Node::is_element) {
        let has = |name| device.children().any(|child| child.has_tag_name(name));
        match device.tag_name().name() {
            "disk" if has("readonly") || device.attribute("device") == Some("cdrom") => {}
            "disk" => {
                let source = device.children().find(|child| child.has_tag_name("source"));
                let protocol = source.and_then(|source| source.attribute("protocol"));
                if device.attribute("type") != Some("network") || protocol != Some("rbd") {
                    return false;
                }
                rbd += 1;
            }
            "filesystem" | "hostdev" => return false,
            _ => {}
        }
    }
    rbd > 0
}

fn element<'a, 'xml>(domain: Node<'a, 'xml>, name: &str) -> Result<Node<'a, 'xml>, BadText> {
    domain
        .children()
        .find(|child| child.has_tag_name(name))
        .ok_or_else(|| BadText(format!("no element <{name}>")))
}

fn amount<T: std::str::FromStr>(element: Node<'_, '_>) -> Result<T, BadText> {
    let text = element.text().unwrap_or_default().trim();
    let name = element.tag_name().name();
    text.parse().map_err(|_| BadText(format!("<{name}> holds `{text}`, not a whole number")))
}

fn memory_of(element: Node<'_, '_>) -> Result<Mib, BadText> {
    Mib::of_libvirt(amount(element)?, element.attribute("unit"))
        .map_err(|bad| BadText(format!("<memory> {bad}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(memory: &str, vcpu: &str) -> Result<(u64, u32), String> {
        let xml = format!("<domain type='kvm'><name>a</name>{memory}{vcpu}</domain>");
        Resources::of_definition(&xml)
            .map(|needs| (needs.memory.0, needs.vcpus.0))
            .map_err(|bad| bad.to_string())
    }

    #[test]
    fn units_are_honoured_and_a_missing_one_is_mib() {
        let vcpu = "<vcpu placement='static'> 2 </vcpu>";
        for (memory, mib) in [
            ("<memory>2048</memory>", 2048),
            ("<memory unit='KiB'>2097152</memory>", 2048),
            ("<memory unit='MiB'>2048</memory>", 2048),
            ("<memory unit='GiB'>2</memory>", 2048),
            ("<memory unit='GB'>1</memory>", 953),
        ] {
            assert_eq!(needs(memory, vcpu), Ok((mib, 2)), "{memory}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let memory = "<memory unit='parsec'>1</memory>";
        for (memory, vcpu, said) in [
            ("", "<vcpu>1</vcpu>", "no element <memory>"),
            ("<memory>1</memory>", "", "no element <vcpu>"),
            ("<memory>lots</memory>", "<vcpu>1</vcpu>", "<memory> holds `lots`"),
            (memory, "<vcpu>1</vcpu>", "unknown unit `parsec`"),
            ("<memory unit='TiB'>18446744073709551615</memory>", "<vcpu>1</vcpu>", "more than"),
        ] {
            let error = needs(memory, vcpu).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(Resources::of_definition("{}").is_err());
    }

    #[test]
    fn only_a_vm_that_can_write_to_nothing_else_is_on_rbd_only() {
        let rbd = "<disk type='network' device='disk'><source protocol='rbd' name='vms/a'/></disk>";
        let file = "<disk type='file' device='disk'><source file='/a'/></disk>";
        let cdrom = "<disk type='file' device='cdrom'><source file='/a'/></disk>";
        let shared = "<filesystem type='mount'><source dir='/a'/></filesystem>";
        for (devices, rbd_only) in [
            (String::new(), false),
            (rbd.to_owned(), true),
            (format!("{rbd}{cdrom}"), true),
            (format!("{rbd}{file}"), false),
            (format!("{rbd}{shared}"), false),
            (cdrom.to_owned(), false),
        ] {
            let xml = format!(
                "<domain><memory>1</memory><vcpu>1</vcpu><devices>{devices}</devices></domain>"
            );
            assert_eq!(Resources::of_definition(&xml).unwrap().rbd_only, rbd_only, "{devices}");
            assert_eq!(uses_rbd(&xml), devices.contains("'rbd'"), "{devices}");
        }
    }

    #[test]
    fn only_the_domains_own_elements_count() {
        let nested = "<devices><memory>9</memory></devices><memory>1</memory>";
        assert_eq!(needs(nested, "<vcpu>1</vcpu>"), Ok((1, 1)));
    }
}
