//! Replacing ranges of a text, found through the elements that span them.

use std::ops::Range;

use roxmltree::Node;

/// New text for a range of bytes.
#[derive(Debug)]
pub(crate) struct Splice {
    range: Range<usize>,
    text: String,
}

impl Splice {
    pub(crate) fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { range, text }
    }

    pub(crate) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }
}

/// Applies splices that do not overlap.
pub(crate) fn apply(xml: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| splice.range.start);
    let mut result = String::with_capacity(xml.len());
    let mut done = 0;
    for splice in splices {
        result.push_str(&xml[done..splice.range.start]);
        result.push_str(&splice.text);
        done = splice.range.end;
    }
    result.push_str(&xml[done..]);
    result
}

/// Where the parts of an element are.
pub(crate) struct Tags {
    /// From `<` to `>`.
    pub(crate) open: Range<usize>,
    /// What is between the tags; `None` for `<element/>`.
    pub(crate) content: Option<Range<usize>>,
}

pub(crate) fn tags(xml: &str, node: Node<'_, '_>) -> Tags {
    let whole = node.range();
    let mut quote = None;
    let length = xml[whole.clone()]
        .bytes()
        .position(|byte| {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'>') => return true,
                (Some(open), _) if byte == open => quote = None,
                (None | Some(_), _) => {}
            }
            false
        })
        .map_or(whole.len(), |last| last + 1);
    let open = whole.start..whole.start + length;
    let content = (!xml[open.clone()].ends_with("/>")).then(|| {
        let close = xml[whole.clone()].rfind("</").unwrap_or(length);
        open.end..whole.start + close
    });
    Tags { open, content }
}

/// Puts a text between the tags of an element.
pub(crate) fn set_content(xml: &str, node: Node<'_, '_>, text: &str) -> Splice {
    let tags = tags(xml, node);
    match tags.content {
        Some(content) => Splice::replace(content, text),
        None => {
            let open = xml[tags.open.clone()].trim_end_matches("/>").trim_end();
            let name = &open[1..=qualified_name_length(node)];
            let slash = tags.open.start + open.len()..tags.open.end;
            Splice::replace(slash, format!(">{text}</{name}>"))
        }
    }
}

/// Gives an element an attribute.
pub(crate) fn set_attribute(node: Node<'_, '_>, name: &str, value: &str) -> Splice {
    let value = escape(value);
    match node.attribute_node(name) {
        Some(attribute) => Splice::replace(attribute.range_value(), value),
        None => {
            let at = node.range().start + 1 + qualified_name_length(node);
            Splice::insert(at, format!(" {name}='{value}'"))
        }
    }
}

/// Takes an attribute, and the blanks before it, from an element.
pub(crate) fn remove_attribute(xml: &str, node: Node<'_, '_>, name: &str) -> Option<Splice> {
    let range = node.attribute_node(name)?.range();
    let start = xml[..range.start].trim_end().len();
    Some(Splice::replace(start..range.end, ""))
}

fn qualified_name_length(node: Node<'_, '_>) -> usize {
    let text = &node.document().input_text()[node.range()];
    text[1..].find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(0)
}

/// The blanks between an element and the line break before it.
pub(crate) fn indent<'xml>(xml: &'xml str, node: Node<'_, '_>) -> &'xml str {
    let before = &xml[..node.range().start];
    let start = before.trim_end_matches([' ', '\t']).len();
    if before[..start].ends_with('\n') { &before[start..] } else { "" }
}

/// Puts an element on a line of its own after another, or right behind it if that is not on
/// a line of its own.
pub(crate) fn insert_after(xml: &str, node: Node<'_, '_>, element: &str) -> Splice {
    let at = node.range().end;
    let starts_line = xml[..node.range().start].trim_end_matches([' ', '\t']).ends_with('\n');
    if starts_line {
        Splice::insert(at, format!("\n{}{element}", indent(xml, node)))
    } else {
        Splice::insert(at, element)
    }
}

/// Puts an element last into another.
pub(crate) fn append(xml: &str, parent: Node<'_, '_>, element: &str) -> Splice {
    match parent.last_element_child() {
        Some(last) => insert_after(xml, last, element),
        None => {
            let inner = indent(xml, parent);
            set_content(xml, parent, &format!("\n{inner}  {element}\n{inner}"))
        }
    }
}

/// Takes an element away, with the blanks before it.
pub(crate) fn remove(xml: &str, node: Node<'_, '_>) -> Splice {
    let range = node.range();
    Splice::replace(xml[..range.start].trim_end().len()..range.end, "")
}

/// A text as it may stand in an element or in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&apos;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
