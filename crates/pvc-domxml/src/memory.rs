//! Amounts of memory with libvirt's units.

use pvc_common::unit::Mib;
use roxmltree::Node;

use crate::document::text;
use crate::error::DefinitionError;

const EXPECTED: &str = "a whole number of at least one MiB, in a unit such as KiB, MiB or GiB";

/// The memory that an element such as `<memory unit='KiB'>` states, rounded down to MiB.
///
/// Without a unit it is MiB: so PVC has always read it, unlike libvirt, whose default is KiB.
pub(crate) fn memory(node: Node<'_, '_>, element: &'static str) -> Result<Mib, DefinitionError> {
    let amount = text(node).ok_or(DefinitionError::Missing { element })?;
    let unit = node.attribute("unit").unwrap_or("MiB");
    let wrong = || DefinitionError::wrong(element, &format!("{amount} {unit}"), EXPECTED);
    let unit_bytes = unit_bytes(unit).ok_or_else(wrong)?;
    let amount: u64 = amount.parse().map_err(|_| wrong())?;
    let mib = u128::from(amount) * u128::from(unit_bytes) / (1024 * 1024);
    match u64::try_from(mib) {
        Ok(mib) if mib > 0 => Ok(Mib(mib)),
        Ok(_) | Err(_) => Err(wrong()),
    }
}

fn unit_bytes(unit: &str) -> Option<u64> {
    Some(match unit {
        "b" | "bytes" => 1,
        "KB" => 1000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "m" | "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "g" | "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "t" | "T" | "TiB" => 1 << 40,
        _ => return None,
    })
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
