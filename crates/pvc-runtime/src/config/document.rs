//! A YAML file whose scalars are still text.
//!
//! Types are the reader's to decide: `010`, `1.10` and `None` keep every character, which a
//! parser that guesses types would lose.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use super::Problem;

/// A parsed file.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) root: Node,
}

/// One value with the line it begins on.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) content: Content,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A scalar; the empty text for YAML's null.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A section, in the order of the file.
    Map(Vec<(String, Node)>),
}

/// More than any configuration has, few enough that aliases of aliases cannot fill the memory.
const MOST_NODES: usize = 100_000;
/// Deeper than any configuration goes, shallow enough for the stack.
const DEEPEST: usize = 64;

impl Document {
    /// Parses YAML text.
    ///
    /// # Errors
    /// When it is no YAML, names a key twice, or is absurdly large; with the line.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut composer =
            Composer { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
        loop {
            match composer.next()? {
                (Event::StreamEnd, span) => {
                    let root = Node { line: line(&span), content: Content::Map(Vec::new()) };
                    return Ok(Self { root });
                }
                (Event::DocumentStart(..), _) => {
                    let first = composer.next()?;
                    let root = composer.node(first, 0)?;
                    return Ok(Self { root });
                }
                _ => {}
            }
        }
    }
}

fn line(span: &Span) -> usize {
    span.start.line()
}

fn broken(line: usize, found: &str, expected: &str) -> Problem {
    Problem::new("", Some(line), Some(found), expected)
}

struct Composer<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Composer<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(event)) => return Ok(event),
                Some(Err(error)) => {
                    return Err(broken(error.marker().line(), &error.info(), "YAML"));
                }
                None => return Err(broken(1, "an unfinished document", "YAML")),
            }
        }
    }

    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<Node, Problem> {
        let line = line(&span);
        self.nodes += 1;
        if self.nodes > MOST_NODES || depth > DEEPEST {
            return Err(broken(line, "too many or too deep values", "a smaller file"));
        }
        let (anchor, content) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, Content::Text(scalar(&text, style))),
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.map(depth)?),
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).cloned();
                let target = target.ok_or_else(|| broken(line, "an alias", "a known anchor"))?;
                self.nodes += size(&target);
                return Ok(target);
            }
            other => return Err(broken(line, &format!("{other:?}"), "a value")),
        };
        let node = Node { line, content };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Content::List(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut inherited = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let line = line(&span);
            if event == Event::MappingEnd {
                break;
            }
            let Content::Text(key) = self.node((event, span), depth + 1)?.content else {
                return Err(broken(line, "a list or section as a key", "a word"));
            };
            let next = self.next()?;
            let value = self.node(next, depth + 1)?;
            if key == "<<" {
                inherited.extend(merged(value)?);
            } else if entries.iter().any(|(known, _)| *known == key) {
                return Err(broken(line, &key, "each key once; it is given a second time"));
            } else {
                entries.push((key, value));
            }
        }
        for (key, value) in inherited {
            if entries.iter().all(|(known, _)| *known != key) {
                entries.push((key, value));
            }
        }
        Ok(Content::Map(entries))
    }
}

/// The entries that a merge key (`<<`) brings in.
fn merged(value: Node) -> Result<Vec<(String, Node)>, Problem> {
    match value.content {
        Content::Map(entries) => Ok(entries),
        Content::List(items) => {
            Ok(items.into_iter().map(merged).collect::<Result<Vec<_>, _>>()?.concat())
        }
        Content::Text(text) => Err(broken(value.line, &text, "a section to merge")),
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.content {
        Content::Text(_) => 0,
        Content::List(items) => items.iter().map(size).sum(),
        Content::Map(entries) => entries.iter().map(|(_, value)| size(value)).sum(),
    }
}

fn scalar(text: &str, style: ScalarStyle) -> String {
    let null = style == ScalarStyle::Plain && matches!(text, "~" | "null" | "Null" | "NULL");
    if null { String::new() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_every_character() {
        let document =
            Document::parse("a: 010 # octal?\nb: 1.10\nc: None\nd: ~\ne: 'yes'\n").unwrap();
        let Content::Map(entries) = document.root.content else {
            panic!("a section");
        };
        let texts: Vec<_> = entries
            .iter()
            .map(|(key, node)| match &node.content {
                Content::Text(text) => (key.as_str(), text.as_str(), node.line),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            texts,
            [("a", "010", 1), ("b", "1.10", 2), ("c", "None", 3), ("d", "", 4), ("e", "yes", 5)]
        );
    }

    #[test]
    fn broken_yaml_and_repeated_keys_are_told_with_their_line() {
        assert_eq!(Document::parse("a: 1\nb: [1, 2\n").unwrap_err().path, "");
        let twice = Document::parse("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!((twice.line, twice.value.as_deref()), (Some(3), Some("a")));
    }

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let text = "base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\n";
        let document = Document::parse(text).unwrap();
        let shown = format!("{:?}", document.root.content);
        assert!(shown.contains(r#"("y", Node { line: 4, content: Text("3") })"#), "{shown}");
        assert_eq!(shown.matches(r#"("x""#).count(), 2, "{shown}");
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let last = i - 1;
            let refs = vec![format!("*a{last}"); 10].join(", ");
            text.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        let problem = Document::parse(&text).unwrap_err();
        assert_eq!(problem.expected, "a smaller file");
    }
}
