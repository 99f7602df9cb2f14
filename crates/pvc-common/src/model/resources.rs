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
        Ok(Self { memory: memory_of(memory)?, vcpus: Vcpus(amount(vcpu)?) })
    }
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
    fn only_the_domains_own_elements_count() {
        let nested = "<devices><memory>9</memory></devices><memory>1</memory>";
        assert_eq!(needs(nested, "<vcpu>1</vcpu>"), Ok((1, 1)));
    }
}
