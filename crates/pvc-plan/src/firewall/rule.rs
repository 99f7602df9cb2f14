//! The text of a rule, as people write it: one rule of nft, and nothing beside it.
//!
//! A rule stands alone on a line behind `add rule inet pvc <chain> counter`. What could end that line,
//! go on behind it, reach for what is not the rule's, or leave something behind in the table is
//! refused here. Whether the rest makes sense is for nft to say.

use std::fmt;
use std::str::FromStr;

use super::address;

/// Holds some two hundred addresses in a set.
const LIMIT_BYTES: usize = 4096;

/// Words of nft that lead out of the rule, or make something that outlives it.
const FORBIDDEN: [(&str, &str); 7] = [
    ("jump", ELSEWHERE),
    ("goto", ELSEWHERE),
    ("include", NO_DEFINITIONS),
    ("define", NO_DEFINITIONS),
    ("redefine", NO_DEFINITIONS),
    ("undefine", NO_DEFINITIONS),
    ("meter", NO_SET),
];

const ELSEWHERE: &str = "a verdict that leads to no other chain, such as `accept` or `drop`";
const NO_SET: &str = "a rule that makes no set of its own";
const NO_DEFINITIONS: &str = "the rule itself, without files or definitions";
const ONE_LINE: &str = "one rule on one line, without `;`, `#` or `\\`";
const PAIRS: &str = "brackets and quotes in pairs";
const NUMBERS: &str =
    "an address or a prefix, not a name, which each node would look up for itself";
const VALUES: &str = "values in place of variables and named sets";

/// What may stand behind `@`: the parts of a packet that can be matched by offset and length.
const HEADERS: [&str; 4] = ["ll,", "nh,", "th,", "ih,"];

/// The text of one firewall rule, in the language of nft: what it matches, and what becomes of that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleText(Box<str>);

impl RuleText {
    /// The text, without blanks at its ends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule {
    found: String,
    /// Counted in characters, from 1.
    at: Option<usize>,
    expected: &'static str,
}

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, at, expected } = self;
        match at {
            Some(at) => write!(f, "{found} at character {at}: expected {expected}"),
            None => write!(f, "{found}: expected {expected}"),
        }
    }
}

impl std::error::Error for BadRule {}

impl FromStr for RuleText {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let text = text.trim_matches([' ', '\t']);
        if text.is_empty() {
            let expected = "a rule of nft, such as `tcp dport 22 accept`";
            return Err(BadRule { found: "nothing".to_owned(), at: None, expected });
        }
        if text.len() > LIMIT_BYTES {
            let found = format!("{} bytes", text.len());
            return Err(BadRule { found, at: None, expected: "at most 4096" });
        }
        let bare = without_quotes(text)?;
        pairs(&bare)?;
        words(&bare)?;
        headers(&bare)?;
        if let Some((name, index)) = address::name(text) {
            return Err(bad(name, index, NUMBERS));
        }
        Ok(Self(text.into()))
    }
}

fn bad(found: impl fmt::Display, index: usize, expected: &'static str) -> BadRule {
    BadRule { found: format!("`{found}`"), at: Some(index + 1), expected }
}

/// The text with what is quoted blanked out; nothing is left in it that ends a rule.
fn without_quotes(text: &str) -> Result<Vec<char>, BadRule> {
    let mut opened = None;
    let mut bare = Vec::with_capacity(text.len());
    for (index, c) in text.chars().enumerate() {
        match c {
            // nft reads a backslash before the end of a line as its continuation, and knows no
            // other use for it.
            '\\' => return Err(bad(c, index, ONE_LINE)),
            '\t' => {}
            c if c.is_control() => return Err(bad(c.escape_default(), index, ONE_LINE)),
            '"' => opened = if opened.is_some() { None } else { Some(index) },
            ';' | '#' if opened.is_none() => return Err(bad(c, index, ONE_LINE)),
            '$' if opened.is_none() => return Err(bad(c, index, VALUES)),
            _ => {}
        }
        bare.push(if opened.is_some() || c == '"' { ' ' } else { c });
    }
    match opened {
        Some(index) => Err(bad('"', index, PAIRS)),
        None => Ok(bare),
    }
}

/// Every bracket is closed, and none that was not opened.
fn pairs(bare: &[char]) -> Result<(), BadRule> {
    let mut open: Vec<(usize, char)> = Vec::new();
    for (index, c) in bare.iter().copied().enumerate() {
        let opens = match c {
            '{' | '(' | '[' => {
                open.push((index, c));
                continue;
            }
            '}' => '{',
            ')' => '(',
            ']' => '[',
            _ => continue,
        };
        if open.pop().is_none_or(|(_, opened)| opened != opens) {
            return Err(bad(c, index, PAIRS));
        }
    }
    match open.pop() {
        Some((index, c)) => Err(bad(c, index, PAIRS)),
        None => Ok(()),
    }
}

/// No forbidden word, wherever nft could begin to read one: behind a number also in its midst.
fn words(bare: &[char]) -> Result<(), BadRule> {
    let mut at = 0;
    for run in bare.chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic()) {
        let text: String = run.iter().collect();
        let follows_digit = at > 0 && bare[at - 1].is_ascii_digit();
        let forbids = |word: &str| if follows_digit { text.contains(word) } else { text == word };
        if let Some((word, expected)) = FORBIDDEN.iter().find(|(word, _)| forbids(word)) {
            return Err(bad(word, at, expected));
        }
        at += run.len();
        let flows = if follows_digit { text.ends_with("flow") } else { text == "flow" };
        if flows && is_meter(&bare[at..]) {
            return Err(bad("flow", at - 4, NO_SET));
        }
    }
    Ok(())
}

/// Whether `flow` with this behind it is nft's old word for a meter: `flow table`.
fn is_meter(behind: &[char]) -> bool {
    let next = behind.iter().skip_while(|c| matches!(c, ' ' | '\t'));
    next.take(5).copied().eq("table".chars())
}

/// `@` is followed by a part of the packet: named sets are not the rule's.
fn headers(bare: &[char]) -> Result<(), BadRule> {
    for (index, _) in bare.iter().enumerate().filter(|(_, c)| **c == '@') {
        let next: String = bare[index + 1..].iter().take(3).collect();
        if !HEADERS.contains(&next.as_str()) {
            return Err(bad('@', index, VALUES));
        }
    }
    Ok(())
}
