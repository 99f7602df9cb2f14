//! What every VM's definition must hold.

use std::str::FromStr;

use pvc_common::id::{VmName, VmUuid};
use pvc_common::unit::{Mib, Vcpus};
use roxmltree::Node;

use crate::description::{Description, description};
use crate::document::{at, child, parse, text};
use crate::error::DefinitionError;
use crate::memory::memory;

/// A definition that can become a VM: what must be there, and everything else it describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its UUID.
    pub uuid: VmUuid,
    /// Its name.
    pub name: VmName,
    /// Its memory.
    pub memory: Mib,
    /// Its virtual processors.
    pub vcpus: Vcpus,
    /// What else it holds.
    pub description: Description,
}

/// Checks that a text may become the definition of a VM.
///
/// Required are `<uuid>`, `<name>`, `<memory>`, `<vcpu>` and `<os><type>`; anything else is
/// libvirt's to judge when the VM starts.
///
/// # Errors
/// The first thing that is missing or wrong, in this order.
pub fn validate_definition(xml: &str) -> Result<Definition, DefinitionError> {
    let document = parse(xml)?;
    let root = document.root_element();
    let definition = Definition {
        uuid: uuid(root)?,
        name: name(root)?,
        memory: memory(required(root, "memory")?, "memory")?,
        vcpus: vcpus(root)?,
        description: description(root),
    };
    at(root, &["os", "type"])
        .and_then(text)
        .ok_or(DefinitionError::Missing { element: "os/type" })?;
    Ok(definition)
}

fn required<'a, 'input>(
    root: Node<'a, 'input>,
    element: &'static str,
) -> Result<Node<'a, 'input>, DefinitionError> {
    child(root, element).ok_or(DefinitionError::Missing { element })
}

fn uuid(root: Node<'_, '_>) -> Result<VmUuid, DefinitionError> {
    let element = "uuid";
    let uuid = text(required(root, element)?).ok_or(DefinitionError::Missing { element })?;
    VmUuid::from_str(uuid).map_err(|_| {
        DefinitionError::wrong(element, uuid, "a UUID such as 6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10")
    })
}

fn name(root: Node<'_, '_>) -> Result<VmName, DefinitionError> {
    let element = "name";
    let node = required(root, element)?;
    // Not trimmed: libvirt takes blanks as part of the name.
    let name = node.text().unwrap_or_default();
    if name.trim().is_empty() {
        return Err(DefinitionError::Missing { element });
    }
    VmName::from_str(name).map_err(|_| {
        DefinitionError::wrong(
            element,
            name,
            "up to 255 bytes without `/`, control characters or blanks at either end",
        )
    })
}

/// The most virtual processors the VM may have.
pub(crate) fn vcpus(root: Node<'_, '_>) -> Result<Vcpus, DefinitionError> {
    let element = "vcpu";
    let count = text(required(root, element)?).ok_or(DefinitionError::Missing { element })?;
    match count.parse() {
        Ok(count) if count > 0 => Ok(Vcpus(count)),
        Ok(_) | Err(_) => {
            Err(DefinitionError::wrong(element, count, "a whole number of at least 1"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "<domain type='kvm'>
        <uuid>6F1C2A3E-8a61-4b07-9d43-0b1f6a2c9e10</uuid><name>web1</name>
        <memory unit='GiB'>2</memory><vcpu current='1'>4</vcpu>
        <os><type arch='x86_64'>hvm</type></os></domain>";

    fn without(element: &str) -> String {
        let end = format!("</{element}>");
        let from = GOOD.find(&format!("<{element}")).unwrap();
        let to = GOOD.find(&end).unwrap() + end.len();
        format!("{}{}", &GOOD[..from], &GOOD[to..])
    }

    fn error(xml: &str) -> String {
        validate_definition(xml).unwrap_err().to_string()
    }

    #[test]
    fn a_definition_tells_what_the_cluster_must_know() {
        let definition = validate_definition(GOOD).unwrap();
        assert_eq!(definition.uuid.to_string(), "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10");
        assert_eq!(definition.name.as_str(), "web1");
        assert_eq!(definition.memory, Mib(2048));
        assert_eq!(definition.vcpus, Vcpus(4));
    }

    #[test]
    fn an_error_names_the_element_that_is_missing() {
        for element in ["uuid", "name", "memory", "vcpu"] {
            assert_eq!(
                error(&without(element)),
                format!("element <{element}> is missing or empty")
            );
        }
        assert_eq!(error(&without("os")), "element <os/type> is missing or empty");
        assert_eq!(error(&GOOD.replace("web1", " ")), "element <name> is missing or empty");
    }

    #[test]
    fn an_error_quotes_what_is_wrong() {
        for (good, bad, expected) in [
            (
                "6F1C2A3E",
                "XYZ",
                "element <uuid> holds `XYZ-8a61-4b07-9d43-0b1f6a2c9e10`, expected a UUID",
            ),
            ("web1", "we/b", "element <name> holds `we/b`"),
            ("web1", " web1", "element <name> holds ` web1`"),
            ("'GiB'>2<", "'GiB'>two<", "element <memory> holds `two GiB`"),
            (">4<", ">0<", "element <vcpu> holds `0`"),
            (">4<", ">many<", "element <vcpu> holds `many`"),
        ] {
            let error = error(&GOOD.replace(good, bad));
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        assert!(error("").starts_with("not well-formed XML"));
        assert!(error("just text").starts_with("not well-formed XML"));
        assert!(error("<domain>").starts_with("not well-formed XML"));
        assert!(error("<domain/><domain/>").starts_with("not well-formed XML"));
        assert_eq!(error("<network/>"), "the root element is <network>, expected <domain>");
        assert!(error("<!DOCTYPE d [<!ENTITY a 'b'>]><domain>&a;</domain>").contains("XML"));
    }

    #[test]
    fn control_characters_are_refused_however_they_are_written() {
        assert_eq!(
            error("<domain>\n\u{0}</domain>"),
            "character U+0000 in line 2 is not allowed in XML"
        );
        assert!(error(&GOOD.replace("web1", "we\u{1b}b")).starts_with("character U+001B"));
        for reference in ["&#0;", "&#1;", "&#x0;", "&#10;"] {
            let xml = GOOD.replace("web1", &format!("web{reference}1"));
            assert!(validate_definition(&xml).is_err(), "{reference}");
        }
    }

    #[test]
    fn a_deep_or_broken_document_is_an_error_and_no_crash() {
        let deep = "<domain>".repeat(200_000);
        assert!(validate_definition(&deep).is_err());
        let deep = format!("{deep}{}", "</domain>".repeat(200_000));
        assert!(validate_definition(&deep).is_err());
    }
}
