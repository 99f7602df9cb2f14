//! Indenting, and the check of a lone element.

use roxmltree::Node;

use crate::document::parse_any;
use crate::edit::tags;
use crate::error::DefinitionError;

/// Indents a document by two blanks a level. Elements that hold text stay as they are, and so
/// do tags: only blanks between elements change.
///
/// # Errors
/// If the text is not XML.
pub fn pretty(xml: &str) -> Result<String, DefinitionError> {
    let document = parse_any(xml)?;
    let mut result = String::with_capacity(xml.len() * 2);
    if let Some(first) = document.root().first_child() {
        let declaration = xml[..first.range().start].trim();
        result.extend((!declaration.is_empty()).then(|| format!("{declaration}\n")));
    }
    for node in document.root().children() {
        write(&mut result, xml, node, 0);
    }
    Ok(result)
}

/// Checks that a text is one well-formed element, such as a device to be plugged in, and returns that
/// without what stands around it.
///
/// # Errors
/// If it is not, or holds a character that must not reach libvirt.
pub fn check_device(xml: &str) -> Result<&str, DefinitionError> {
    parse_any(xml).map(|document| &xml[document.root_element().range()])
}

/// Writes a node and what is in it, each on a line of its own.
///
/// The recursion is bounded: deep documents are refused when they are parsed.
fn write(result: &mut String, xml: &str, node: Node<'_, '_>, depth: usize) {
    let text = xml[node.range()].trim();
    if text.is_empty() {
        return;
    }
    let indent = "  ".repeat(depth);
    let tags = tags(xml, node);
    let content = tags.content.filter(|_| node.is_element() && holds_only_elements(node));
    match content {
        Some(content) => {
            result.push_str(&indent);
            result.push_str(&xml[tags.open]);
            result.push('\n');
            for child in node.children() {
                write(result, xml, child, depth + 1);
            }
            result.push_str(&indent);
            result.push_str(&xml[content.end..node.range().end]);
        }
        None => {
            result.push_str(&indent);
            result.push_str(text);
        }
    }
    result.push('\n');
}

/// Whether blanks in an element mean nothing: it has elements, and no text of its own.
fn holds_only_elements(node: Node<'_, '_>) -> bool {
    let own_text = |child: &Node<'_, '_>| {
        child.is_text() && !child.text().unwrap_or_default().trim().is_empty()
    };
    node.has_children()
        && node.children().any(|c| !c.is_text())
        && !node.children().any(|c| own_text(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB1: &str = include_str!("../tests/web1.xml");

    #[test]
    fn what_is_indented_stays_as_it_is() {
        assert_eq!(pretty(WEB1).unwrap(), WEB1);
    }

    #[test]
    fn one_line_becomes_many() {
        let flat: String = WEB1.lines().map(str::trim).collect();
        assert_eq!(pretty(&flat).unwrap(), WEB1);
    }

    #[test]
    fn texts_and_tags_are_not_touched() {
        let odd = "<?xml version=\"1.0\"?><a  b='>'\n c=\"x/>\"><d> x <e/> </d><f/><g></g></a>";
        assert_eq!(
            pretty(odd).unwrap(),
            "<?xml version=\"1.0\"?>\n<a  b='>'\n c=\"x/>\">\n  <d> x <e/> </d>\n  <f/>\n  <g></g>\n</a>\n"
        );
    }

    #[test]
    fn a_document_too_deep_to_walk_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
        assert!(matches!(pretty(&deep), Err(DefinitionError::NotXml { .. })));
    }

    #[test]
    fn a_device_is_one_element() {
        assert!(check_device("<disk/>").is_ok());
        for bad in ["", "disk", "<disk>", "<disk/><disk/>", "<disk>\u{0}</disk>"] {
            assert!(check_device(bad).is_err(), "{bad:?}");
        }
    }
}
