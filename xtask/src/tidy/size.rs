//! How large files and functions are, read off the layout that rustfmt gives them.

use std::collections::BTreeMap;

use super::source::Source;

/// A file with more lines has more than one idea.
const FILE_LINES: usize = 600;
/// A function with more lines does not fit on a screen.
const FUNCTION_LINES: usize = 70;

/// Everything larger than it should be: what it is, and its lines.
pub(super) fn oversized(sources: &[Source]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for source in sources {
        let lines = source.text.lines().count();
        if lines > FILE_LINES {
            found.insert(format!("file {}", source.path), lines);
        }
        for (name, lines) in functions(&source.text) {
            if lines > FUNCTION_LINES {
                let entry = found.entry(format!("function {} {name}", source.path)).or_default();
                *entry = lines.max(*entry);
            }
        }
    }
    found
}

/// One line about the whole: how many files, and how large they are.
pub(super) fn summary(sources: &[Source]) -> String {
    let mut lines: Vec<usize> = sources.iter().map(|source| source.text.lines().count()).collect();
    lines.sort_unstable();
    format!(
        "tidy: {} files, {} lines; median {}, largest {}",
        lines.len(),
        lines.iter().sum::<usize>(),
        lines.get(lines.len() / 2).unwrap_or(&0),
        lines.last().unwrap_or(&0)
    )
}

/// Every function with a body of several lines: its name, and its lines from `fn` to brace.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let closing = format!("{indent}}}");
        let end = lines[start..].iter().position(|line| {
            *line == closing || (line.ends_with(';') && same_indent(line, indent))
        });
        if let Some(end) = end
            && lines[start + end] == closing
        {
            found.push((name, end + 1));
        }
    }
    found
}

fn same_indent(line: &str, indent: &str) -> bool {
    line.strip_prefix(indent).is_some_and(|rest| !rest.starts_with(' '))
}

/// The name of the function whose head begins on this line.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.trim_start().split_once("fn ")?;
    let is_head = before
        .split_whitespace()
        .all(|word| word.starts_with("pub") || ["const", "async", "unsafe"].contains(&word))
        || before.starts_with("pub(");
    let name = after.split(['(', '<']).next()?;
    (is_head && !name.contains(' ')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_measured_from_its_head_to_its_brace() {
        let text = "/// Docs.\npub(crate) async fn a<T>(\n    t: T,\n) {\n    t;\n}\n\nfn b() {}\n";
        assert_eq!(functions(text), [("a", 5)]);
    }

    #[test]
    fn a_declaration_without_a_body_is_not_a_function() {
        let text = "trait T {\n    fn a(&self);\n\n    fn b(&self) {\n        1;\n    }\n}\n";
        assert_eq!(functions(text), [("b", 3)]);
    }

    #[test]
    fn prose_that_mentions_fn_is_no_head() {
        assert_eq!(function_name("// the fn (sic) of it"), None);
        assert_eq!(function_name("    pub const fn new() -> Self {"), Some("new"));
    }

    #[test]
    fn only_what_is_too_large_is_named() {
        let body = "    x;\n".repeat(80);
        let text = format!("fn long() {{\n{body}}}\n\nfn short() {{\n    x;\n}}\n");
        let source = Source { path: "a.rs".into(), text };
        let found = oversized(&[source]);
        assert_eq!(found, BTreeMap::from([("function a.rs long".into(), 82)]));
    }
}
