//! Parsing text into a tree of elements, and finding things in it.

use roxmltree::{Document, Node};

use crate::error::DefinitionError;

/// libvirt's own documents are about ten deep; this is also the limit of its parser.
const DEPTH_LIMIT: usize = 256;

/// Parses a text that must be a domain. Document type declarations are refused: nothing of
/// libvirt writes them, and entities could make a short text very large.
pub(crate) fn parse(xml: &str) -> Result<Document<'_>, DefinitionError> {
    let document = parse_any(xml)?;
    let root = document.root_element();
    if root.has_tag_name("domain") {
        Ok(document)
    } else {
        Err(DefinitionError::NotADomain { root: root.tag_name().name().to_owned() })
    }
}

/// Parses any document.
pub(crate) fn parse_any(xml: &str) -> Result<Document<'_>, DefinitionError> {
    refuse_control_characters(xml)?;
    let document = Document::parse(xml)
        .map_err(|error| DefinitionError::NotXml { message: error.to_string() })?;
    refuse_depth(&document)?;
    Ok(document)
}

/// What walks a document recursively must not run out of stack.
fn refuse_depth(document: &Document<'_>) -> Result<(), DefinitionError> {
    let mut depths = Vec::new();
    for node in document.descendants() {
        let depth = node.parent().map_or(0, |parent| depths[parent.id().get_usize()] + 1);
        if depth > DEPTH_LIMIT {
            let message = format!("elements are nested more than {DEPTH_LIMIT} deep");
            return Err(DefinitionError::NotXml { message });
        }
        // Nodes are numbered in document order.
        depths.push(depth);
    }
    Ok(())
}

fn refuse_control_characters(xml: &str) -> Result<(), DefinitionError> {
    for (number, line) in xml.split('\n').enumerate() {
        let bad = |c: &char| c.is_control() && !matches!(c, '\t' | '\r');
        if let Some(character) = line.chars().find(bad) {
            return Err(DefinitionError::ControlCharacter {
                code: u32::from(character),
                line: number + 1,
            });
        }
    }
    Ok(())
}

/// The first child element of a name.
pub(crate) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// The child elements of a name, in order.
pub(crate) fn children<'a, 'input, 'name>(
    node: Node<'a, 'input>,
    name: &'name str,
) -> impl Iterator<Item = Node<'a, 'input>> + use<'a, 'input, 'name> {
    node.children().filter(move |child| child.has_tag_name(name))
}

/// The first element at a path of names below a node.
pub(crate) fn at<'a, 'input>(node: Node<'a, 'input>, path: &[&str]) -> Option<Node<'a, 'input>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

/// The text of an element without blanks around it; `None` if there is none.
pub(crate) fn text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.text().map(str::trim).filter(|text| !text.is_empty())
}

/// An attribute as an owned text.
pub(crate) fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).map(str::to_owned)
}
