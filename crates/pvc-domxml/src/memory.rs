//! Amounts of memory with libvirt's units.

use pvc_common::unit::Mib;
use roxmltree::Node;

use crate::document::text;
use crate::error::DefinitionError;

const EXPECTED: &str = "a whole number of at least one MiB, in a unit such as KiB, MiB or GiB";

/// The memory that an element such as `<memory unit='KiB'>` states; see [`Mib::of_libvirt`].
pub(crate) fn memory(node: Node<'_, '_>, element: &'static str) -> Result<Mib, DefinitionError> {
    let amount = text(node).ok_or(DefinitionError::Missing { element })?;
    let unit = node.attribute("unit");
    let wrong = || {
        let text = format!("{amount} {}", unit.unwrap_or("MiB"));
        DefinitionError::wrong(element, &text, EXPECTED)
    };
    let number: u64 = amount.parse().map_err(|_| wrong())?;
    Mib::of_libvirt(number, unit).ok().filter(|mib| mib.0 > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Result<Mib, DefinitionError> {
        let document = roxmltree::Document::parse(xml).unwrap();
        memory(document.root_element(), "memory")
    }

    #[test]
    fn units_are_honoured_and_a_missing_one_is_mib() {
        for (xml, mib) in [
            ("<memory unit='KiB'>2097152</memory>", 2048),
            ("<memory unit='MiB'>2048</memory>", 2048),
            ("<memory unit='GiB'> 2 </memory>", 2048),
            ("<memory unit='M'>7</memory>", 7),
            ("<memory unit='GB'>1</memory>", 953),
            ("<memory unit='TiB'>1</memory>", 1 << 20),
            ("<memory>2048</memory>", 2048),
        ] {
            assert_eq!(read(xml), Ok(Mib(mib)), "{xml}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_text() {
        for xml in [
            "<memory>lots</memory>",
            "<memory>-1</memory>",
            "<memory>0</memory>",
            "<memory unit='KiB'>1023</memory>",
            "<memory unit='parsec'>1</memory>",
            "<memory unit='TiB'>99999999999999999999</memory>",
        ] {
            assert!(matches!(read(xml), Err(DefinitionError::Wrong { .. })), "{xml}");
        }
        let error = read("<memory unit='parsec'>1</memory>").unwrap_err();
        assert!(error.to_string().starts_with("element <memory> holds `1 parsec`"), "{error}");
        assert_eq!(read("<memory/>"), Err(DefinitionError::Missing { element: "memory" }));
    }
}
