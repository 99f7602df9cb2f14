//! Walking a document, section by section, collecting what is wrong.

use std::cell::RefCell;

use pvc_common::secret::Secret;

use super::document::{Content, Document, Node};
use super::nearest::nearest;
use super::{Kind, Problem};

/// One section of a configuration while it is being read.
///
/// Every key that is asked for counts as known; what is left when the section's reader returns
/// is reported as unknown. A getter that answers `None` for a required key has already recorded
/// why, so a reader asks for all its keys first and puts them together afterwards.
#[derive(Debug)]
pub struct Section<'a> {
    path: String,
    node: &'a Node,
    asked: RefCell<Vec<&'static str>>,
    problems: &'a RefCell<Vec<Problem>>,
}

/// Reads a whole document; `Ok` only if nothing is wrong with it.
///
/// # Errors
/// Every problem found, in the order of reading.
pub fn read<T>(
    document: &Document,
    reader: impl FnOnce(&Section<'_>) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let problems = RefCell::new(Vec::new());
    let value = Section::enter(String::new(), &document.root, &problems, reader);
    let found = problems.into_inner();
    match value {
        Some(value) if found.is_empty() => Ok(value),
        Some(_) | None => Err(found),
    }
}

impl<'a> Section<'a> {
    fn enter<T>(
        path: String,
        node: &'a Node,
        problems: &'a RefCell<Vec<Problem>>,
        reader: impl FnOnce(&Section<'_>) -> Option<T>,
    ) -> Option<T> {
        let section = Section { path, node, asked: RefCell::default(), problems };
        if let Content::Map(_) = node.content {
            let value = reader(&section);
            section.report_unknown();
            return value;
        }
        // A section of which nothing is set is an empty one.
        if matches!(&node.content, Content::Text(text) if text.is_empty()) {
            return reader(&section);
        }
        section.report(&section.path, Some(node), "a section with keys");
        None
    }

    /// The value of a key that must be there; `None` once its absence or form is recorded.
    pub fn required<T>(&self, key: &'static str, kind: Kind<T>) -> Option<T> {
        if self.find(key).is_none() {
            self.missing(key, kind.expected);
        }
        self.given(key, kind)
    }

    /// The value of a key, or `default` if it is not given.
    pub fn or<T>(&self, key: &'static str, kind: Kind<T>, default: T) -> T {
        self.given(key, kind).unwrap_or(default)
    }

    /// The value of a key; `None` if it is not given, empty, or says `None`.
    pub fn optional<T>(&self, key: &'static str, kind: Kind<T>) -> Option<T> {
        match self.text(key) {
            Some("" | "None" | "none") => None,
            Some(_) | None => self.given(key, kind),
        }
    }

    /// The value of a key that must be there and may say `None`.
    pub fn nullable<T>(&self, key: &'static str, kind: Kind<T>) -> Option<T> {
        if self.find(key).is_none() {
            self.missing(key, &format!("{}, or None", kind.expected));
        }
        self.optional(key, kind)
    }

    /// The value of a key that must be there and must not be shown.
    pub fn secret(&self, key: &'static str) -> Option<Secret<String>> {
        match self.find(key).map(|node| (node.line, &node.content)) {
            None => self.missing(key, "a secret text"),
            Some((_, Content::Text(text))) => {
                return Some(Secret::new(text.clone()));
            }
            Some((line, Content::List(_) | Content::Map(_))) => {
                let path = self.below(key);
                let problem = Problem::new(path, Some(line), Some("(hidden)"), "a secret text");
                self.problems.borrow_mut().push(problem);
            }
        }
        None
    }

    /// The values of a list; `None` if it is not given. Malformed items are recorded.
    pub fn list<T>(&self, key: &'static str, kind: Kind<T>) -> Option<Vec<T>> {
        let items = self.items(key, "a list")?;
        let value = |(index, node): (usize, &Node)| {
            let path = format!("{}[{index}]", self.below(key));
            let value = match &node.content {
                Content::Text(text) => (kind.parse)(text),
                Content::List(_) | Content::Map(_) => None,
            };
            if value.is_none() {
                self.report(&path, Some(node), kind.expected);
            }
            value
        };
        Some(items.iter().enumerate().filter_map(value).collect())
    }

    /// The sections of a list; empty if it is not given.
    pub fn sections<T>(
        &self,
        key: &'static str,
        reader: impl Fn(&Section<'_>) -> Option<T>,
    ) -> Vec<T> {
        let items = self.items(key, "a list of sections").unwrap_or_default();
        let path = |index| format!("{}[{index}]", self.below(key));
        items
            .iter()
            .enumerate()
            .filter_map(|(index, node)| Section::enter(path(index), node, self.problems, &reader))
            .collect()
    }

    /// Reads a section that must be there.
    pub fn section<T>(
        &self,
        key: &'static str,
        reader: impl FnOnce(&Section<'_>) -> Option<T>,
    ) -> Option<T> {
        if self.find(key).is_none() {
            self.missing(key, "a section with keys");
        }
        self.optional_section(key, reader)
    }

    /// Reads a section if it is there.
    pub fn optional_section<T>(
        &self,
        key: &'static str,
        reader: impl FnOnce(&Section<'_>) -> Option<T>,
    ) -> Option<T> {
        let node = self.find(key)?;
        Section::enter(self.below(key), node, self.problems, reader)
    }

    /// Whether the key is given at all, be it empty.
    pub fn has(&self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// Records that the value of `key`, well-formed as it is, will not do.
    pub fn refuse(&self, key: &'static str, expected: impl Into<String>) {
        let node = self.find(key);
        self.report(&self.below(key), node, expected);
    }

    fn given<T>(&self, key: &'static str, kind: Kind<T>) -> Option<T> {
        let node = self.find(key)?;
        let value = match &node.content {
            Content::Text(text) => (kind.parse)(text),
            Content::List(_) | Content::Map(_) => None,
        };
        if value.is_none() {
            self.report(&self.below(key), Some(node), kind.expected);
        }
        value
    }

    fn items(&self, key: &'static str, expected: &str) -> Option<&'a [Node]> {
        let node = self.find(key)?;
        match &node.content {
            Content::List(items) => Some(items),
            Content::Text(text) if text.is_empty() => None,
            Content::Text(_) | Content::Map(_) => {
                self.report(&self.below(key), Some(node), expected);
                None
            }
        }
    }

    fn text(&self, key: &'static str) -> Option<&'a str> {
        match &self.find(key)?.content {
            Content::Text(text) => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    fn find(&self, key: &'static str) -> Option<&'a Node> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        match &self.node.content {
            Content::Map(entries) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
            }
            Content::Text(_) | Content::List(_) => None,
        }
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn missing(&self, key: &str, expected: &str) {
        let problem = Problem::new(self.below(key), None, None, expected);
        self.problems.borrow_mut().push(problem);
    }

    fn report(&self, path: &str, node: Option<&Node>, expected: impl Into<String>) {
        let value = node.map(|node| match &node.content {
            Content::Text(text) => text.as_str(),
            Content::List(_) => "a list",
            Content::Map(_) => "a section",
        });
        let line = node.map(|node| node.line);
        let problem = Problem::new(path, line, value, expected);
        self.problems.borrow_mut().push(problem);
    }

    fn report_unknown(&self) {
        let Content::Map(entries) = &self.node.content else {
            return;
        };
        let asked = self.asked.borrow();
        for (key, node) in entries {
            if asked.contains(&key.as_str()) {
                continue;
            }
            let expected = match nearest(key, &asked) {
                Some(known) => format!("a known key, perhaps `{known}`"),
                None => format!("one of the known keys: {}", asked.join(", ")),
            };
            let problem = Problem::new(self.below(key), Some(node.line), Some(key), expected);
            self.problems.borrow_mut().push(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FLAG, NODE, WHOLE};
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let document = Document::parse(text).unwrap();
        let outcome = read(&document, |root| {
            root.section("pvc", |pvc| {
                let node = pvc.required("node", NODE);
                let debug = pvc.or("debug", FLAG, false);
                let limit = pvc.nullable("limit", WHOLE);
                let hosts = pvc.list("hosts", NODE);
                let secret = pvc.optional_section("ipmi", |ipmi| ipmi.secret("pass"));
                Some((node?, debug, limit, hosts, secret.is_some()))
            })
        });
        match outcome {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_good_file_has_no_problems() {
        assert_eq!(
            problems("pvc: {node: hv1, debug: yes, limit: None, hosts: [hv1], ipmi: {pass: x}}"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_problem_is_told_at_once_with_path_line_value_and_expectation() {
        assert_eq!(
            problems(
                "pvc:\n  node: a.b\n  debug: maybe\n  limit: -1\n  hosts: [hv1, 'x y']\n  debgu: no\n"
            ),
            [
                "pvc.node (line 2): found `a.b`, expected a short host name (letters, digits and hyphens, no domain)",
                "pvc.debug (line 3): found `maybe`, expected True or False",
                "pvc.limit (line 4): found `-1`, expected a whole number from 0",
                "pvc.hosts[1] (line 5): found `x y`, expected a short host name (letters, digits and hyphens, no domain)",
                "pvc.debgu (line 6): found `debgu`, expected a known key, perhaps `debug`",
            ]
        );
    }

    #[test]
    fn what_is_missing_is_told_once() {
        assert_eq!(problems(""), ["pvc: missing, expected a section with keys"]);
        assert_eq!(
            problems("pvc: {}"),
            [
                "pvc.node: missing, expected a short host name (letters, digits and hyphens, no domain)",
                "pvc.limit: missing, expected a whole number from 0, or None",
            ]
        );
    }

    #[test]
    fn a_secret_is_never_repeated() {
        let told = problems("pvc: {node: hv1, limit: 1, ipmi: {pass: [hunter2]}}");
        assert_eq!(told, ["pvc.ipmi.pass (line 1): found `(hidden)`, expected a secret text"]);
    }

    #[test]
    fn a_word_where_a_section_belongs_is_told() {
        assert_eq!(
            problems("pvc: {node: hv1, limit: 1, ipmi: yes}"),
            ["pvc.ipmi (line 1): found `yes`, expected a section with keys"]
        );
    }
}
