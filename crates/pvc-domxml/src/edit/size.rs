//! Name, memory and processors.

use pvc_common::id::VmName;
use pvc_common::unit::{Mib, Vcpus};
use roxmltree::Node;

use super::EditError;
use super::splice::{
    Splice, append, apply, escape, insert_after, remove_attribute, set_attribute, set_content,
};
use crate::description::Topology;
use crate::document::{child, parse};
use crate::error::DefinitionError;

/// Gives the VM another name.
///
/// # Errors
/// If the text is no domain or has no `<name>`.
pub fn set_name(xml: &str, name: &VmName) -> Result<String, EditError> {
    let document = parse(xml)?;
    let node = required(document.root_element(), "name")?;
    Ok(apply(xml, vec![set_content(xml, node, &escape(name.as_str()))]))
}

/// Gives the VM another amount of memory, both at start and at most.
///
/// # Errors
/// If the text is no domain or has no `<memory>`.
pub fn set_memory(xml: &str, memory: Mib) -> Result<String, EditError> {
    let document = parse(xml)?;
    let root = document.root_element();
    let memory = memory.to_string();
    let mut splices = Vec::new();
    let current = child(root, "currentMemory");
    for node in [Some(required(root, "memory")?), current].into_iter().flatten() {
        splices.push(set_attribute(node, "unit", "MiB"));
        splices.push(set_content(xml, node, &memory));
    }
    Ok(apply(xml, splices))
}

/// Gives the VM another number of processors, all present from the start, and arranges them.
///
/// # Errors
/// If the topology does not make that number, or the text is no domain or has no `<vcpu>`.
pub fn set_vcpus(xml: &str, vcpus: Vcpus, topology: Topology) -> Result<String, EditError> {
    let made = u64::from(topology.sockets)
        .saturating_mul(u64::from(topology.cores))
        .saturating_mul(u64::from(topology.threads));
    if made != u64::from(vcpus.0) || made == 0 {
        return Err(EditError::TopologyMismatch { topology, vcpus });
    }
    let document = parse(xml)?;
    let root = document.root_element();
    let count = required(root, "vcpu")?;
    let mut splices = vec![set_content(xml, count, &vcpus.to_string())];
    splices.extend(remove_attribute(xml, count, "current"));
    splices.push(set_topology(xml, root, count, topology));
    Ok(apply(xml, splices))
}

fn set_topology(xml: &str, root: Node<'_, '_>, count: Node<'_, '_>, topology: Topology) -> Splice {
    let Topology { sockets, cores, threads } = topology;
    // Written anew as a whole: dies or clusters of the old one would change the product.
    let element = format!("<topology sockets='{sockets}' cores='{cores}' threads='{threads}'/>");
    match child(root, "cpu") {
        Some(cpu) => match child(cpu, "topology") {
            Some(old) => Splice::replace(old.range(), element),
            None => append(xml, cpu, &element),
        },
        None => insert_after(xml, count, &format!("<cpu>{element}</cpu>")),
    }
}

fn required<'a, 'input>(
    root: Node<'a, 'input>,
    element: &'static str,
) -> Result<Node<'a, 'input>, EditError> {
    Ok(child(root, element).ok_or(DefinitionError::Missing { element })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB1: &str = include_str!("../../tests/web1.xml");

    fn topology(sockets: u32, cores: u32, threads: u32) -> Topology {
        Topology { sockets, cores, threads }
    }

    #[test]
    fn a_new_name_changes_nothing_else() {
        let name = "a <b> & 'c'".parse().unwrap();
        let expected =
            WEB1.replace("<name>web1</name>", "<name>a &lt;b&gt; &amp; &apos;c&apos;</name>");
        let renamed = set_name(WEB1, &name).unwrap();
        assert_eq!(renamed, expected);
        assert_eq!(crate::validate_definition(&renamed).unwrap().name, name);
    }

    #[test]
    fn new_memory_changes_nothing_else() {
        let expected = WEB1.replace("'KiB'>2097152<", "'MiB'>4096<");
        assert_eq!(set_memory(WEB1, Mib(4096)).unwrap(), expected);
        let bare = "<domain><memory dumpCore=\"off\">5</memory></domain>";
        assert_eq!(
            set_memory(bare, Mib(7)).unwrap(),
            "<domain><memory unit='MiB' dumpCore=\"off\">7</memory></domain>"
        );
        assert_eq!(
            set_memory("<domain><memory/></domain>", Mib(7)),
            Ok("<domain><memory unit='MiB'>7</memory></domain>".to_owned())
        );
    }

    #[test]
    fn new_processors_replace_count_and_topology() {
        let expected =
            WEB1.replace("<vcpu placement='static'>2<", "<vcpu placement='static'>4<").replace(
                "<topology sockets='2' dies='1' cores='1' threads='1'/>",
                "<topology sockets='1' cores='4' threads='1'/>",
            );
        assert_eq!(set_vcpus(WEB1, Vcpus(4), topology(1, 4, 1)).unwrap(), expected);
    }

    #[test]
    fn a_definition_without_topology_gains_one() {
        let bare = "<domain>\n  <vcpu current='1'>2</vcpu>\n</domain>";
        let with = set_vcpus(bare, Vcpus(6), topology(1, 3, 2)).unwrap();
        assert_eq!(
            with,
            "<domain>\n  <vcpu>6</vcpu>\n  \
             <cpu><topology sockets='1' cores='3' threads='2'/></cpu>\n</domain>"
        );
        let cpu = "<domain><vcpu>2</vcpu><cpu mode='host-model'/></domain>";
        let with = set_vcpus(cpu, Vcpus(6), topology(1, 3, 2)).unwrap();
        assert_eq!(crate::describe(&with).unwrap().topology, Some(topology(1, 3, 2)));
        assert!(with.contains("<cpu mode='host-model'>"), "{with}");
    }

    #[test]
    fn a_topology_must_make_the_number_of_processors() {
        let error = set_vcpus(WEB1, Vcpus(4), topology(1, 3, 1)).unwrap_err();
        assert_eq!(error.to_string(), "topology 1/3/1 is not 4 vCPUs");
        assert!(set_vcpus(WEB1, Vcpus(0), topology(0, 1, 1)).is_err());
        let huge = topology(u32::MAX, u32::MAX, u32::MAX);
        assert!(set_vcpus(WEB1, Vcpus(1), huge).is_err());
    }

    #[test]
    fn what_is_not_there_cannot_be_set() {
        let error = set_memory("<domain/>", Mib(1)).unwrap_err();
        assert_eq!(error.to_string(), "element <memory> is missing or empty");
        assert!(set_name("<network/>", &"a".parse().unwrap()).is_err());
    }
}
