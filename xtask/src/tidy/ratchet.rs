//! The list of what is larger than it should be. It only turns one way.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};

/// What is too large, with its lines.
type Sizes = BTreeMap<String, usize>;

const HEAD: &str = "\
# Files and functions that are larger than docs/STYLE.md wants, with their lines.
# This list may only shrink: `cargo xtask tidy --shrink` takes out what has become smaller.
";

/// Reads the list.
///
/// # Errors
/// When a line does not end in a number.
pub(super) fn parse(text: &str) -> Result<Sizes> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let entry = line
                .rsplit_once(' ')
                .and_then(|(what, lines)| Some((what.to_owned(), lines.parse().ok()?)));
            entry.with_context(|| format!("not an entry of the ratchet: {line}"))
        })
        .collect()
}

/// Writes the list as [`parse`] reads it.
pub(super) fn print(sizes: &Sizes) -> String {
    let mut text = HEAD.to_owned();
    for (what, lines) in sizes {
        writeln!(text, "{what} {lines}").expect("writing to a string cannot fail");
    }
    text
}

/// The list without what is no longer too large, and with the smaller of both sizes.
pub(super) fn shrink(listed: &Sizes, now: &Sizes) -> Sizes {
    listed
        .iter()
        .filter_map(|(what, lines)| Some((what.clone(), *now.get(what)?.min(lines))))
        .collect()
}

/// What the list does not permit, and what it permits in vain.
pub(super) fn compare(listed: &Sizes, now: &Sizes) -> Vec<String> {
    let mut wrong = Vec::new();
    for (what, lines) in now {
        match listed.get(what) {
            None => wrong.push(format!("{what}: {lines} lines are too many; split it")),
            Some(limit) if lines > limit => {
                wrong.push(format!("{what}: has grown from {limit} to {lines} lines; split it"));
            }
            Some(_) => {}
        }
    }
    for (what, limit) in listed {
        if now.get(what).is_none_or(|lines| lines < limit) {
            wrong.push(format!("{what}: has shrunk; run `cargo xtask tidy --shrink`"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(entries: &[(&str, usize)]) -> Sizes {
        entries.iter().map(|(what, lines)| ((*what).into(), *lines)).collect()
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let listed = sizes(&[("file a.rs", 700), ("function b.rs main", 90)]);
        assert_eq!(parse(&print(&listed)).unwrap(), listed);
    }

    #[test]
    fn growth_and_newcomers_are_refused() {
        let listed = sizes(&[("file a.rs", 700)]);
        let now = sizes(&[("file a.rs", 701), ("file b.rs", 650)]);
        assert_eq!(compare(&listed, &now).len(), 2);
    }

    #[test]
    fn what_has_shrunk_must_be_taken_from_the_list() {
        let listed = sizes(&[("file a.rs", 700), ("file b.rs", 650)]);
        let now = sizes(&[("file a.rs", 690)]);
        assert_eq!(compare(&listed, &now).len(), 2);
        let shrunk = shrink(&listed, &now);
        assert_eq!(shrunk, now);
        assert_eq!(compare(&shrunk, &now), Vec::<String>::new());
    }

    #[test]
    fn shrinking_never_lets_a_newcomer_in() {
        assert_eq!(shrink(&sizes(&[]), &sizes(&[("file a.rs", 700)])), sizes(&[]));
    }
}
