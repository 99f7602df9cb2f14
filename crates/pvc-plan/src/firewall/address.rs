//! Names of hosts in a rule. nft takes them for addresses and asks for them when it loads the rule: each
//! node at its own time, with an answer of its own, or none.
//!
//! Found is what people write: a name as the value, in a set, a map or a concatenation in braces, in
//! parentheses, at an end of a range, and as what an address is set to. nft takes a concatenation in braces
//! only.

use std::net::Ipv6Addr;

/// What is compared with an address.
const ADDRESSES: [&str; 3] = ["saddr", "daddr", "nexthop"];

/// What may stand between an address and what it is compared with.
const BETWEEN: [&str; 12] =
    ["and", "or", "xor", "eq", "ne", "lt", "gt", "le", "ge", "vmap", "map", "set"];

/// What a value may begin with that is computed.
const COMPUTED: [&str; 7] = ["ip", "ip6", "ct", "meta", "jhash", "symhash", "numgen"];

/// What ends the selectors of `fib`, which are called as addresses are.
const FIB_RESULTS: [&str; 4] = ["type", "oif", "oifname", "check"];

/// A piece of a rule: a word or what is quoted, or a mark such as `{`; and where it begins.
struct Piece {
    at: usize,
    text: String,
}

impl Piece {
    fn is(&self, mark: &str) -> bool {
        self.text == mark
    }

    fn is_one_of(&self, words: &[&str]) -> bool {
        words.contains(&self.text.as_str())
    }

    fn is_operator(&self) -> bool {
        self.is_one_of(&["=", "!", "<", ">", "&", "|", "^"]) || self.is_one_of(&BETWEEN)
    }

    /// Whether nft would look it up as a host's, or an end of it: its words begin with a letter.
    fn is_name(&self) -> bool {
        let text = self.text.as_str();
        let begins = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let ends = text.split('-').any(|end| begins(end) && !is_v6(end));
        ends && !is_v6(text) && !self.is_one_of(&COMPUTED)
    }
}

/// An address of IPv6, one with a prefix, or a range of two.
fn is_v6(text: &str) -> bool {
    let mut ends = text.split('-').map(|end| end.split_once('/').map_or(end, |(ip, _)| ip));
    ends.all(|end| end.parse::<Ipv6Addr>().is_ok())
}

/// Whether a word begins with an address of IPv6, whatever its range ends with.
fn begins_v6(text: &str) -> bool {
    text.split('-').next().is_some_and(is_v6)
}

/// The first name of a host where an address is expected, and at which character it begins, from 0.
pub(super) fn name(text: &str) -> Option<(String, usize)> {
    let pieces = pieces(text);
    let is_address = |at: usize| {
        let before = pieces[..at].last();
        pieces[at].is_one_of(&ADDRESSES)
            && before.is_none_or(|before| !before.is("ether"))
            && !is_of_fib(&pieces[..at])
    };
    let found = (0..pieces.len()).filter(|at| is_address(*at)).find_map(|at| value(&pieces, at))?;
    Some((found.text.clone(), found.at))
}

fn is_of_fib(before: &[Piece]) -> bool {
    let last = before.iter().rev().find(|piece| piece.is("fib") || piece.is_one_of(&FIB_RESULTS));
    last.is_some_and(|piece| piece.is("fib"))
}

/// A name among what the address at `at` is compared with.
fn value(pieces: &[Piece], at: usize) -> Option<&Piece> {
    let (before, rest) = (&pieces[..at], &pieces[at + 1..]);
    // In a concatenation it is compared with the part at its own place of each element.
    let place =
        before.iter().rev().take_while(|piece| !piece.is("}")).filter(|p| p.is(".")).count();
    if place > 0 || rest.first().is_some_and(|next| next.is(".")) {
        let open = rest.iter().position(|piece| piece.is("{"))?;
        return in_braces(&rest[open + 1..], place);
    }
    if let Some(named) = rest.first().filter(|next| next.is("set")).and_then(|_| set_to(&rest[1..]))
    {
        return Some(named);
    }
    let mut rest = rest;
    loop {
        let begin = rest.iter().position(|piece| !piece.is_operator() && !piece.is("("))?;
        let one = &rest[begin];
        if one.is("{") {
            return in_braces(&rest[begin + 1..], place);
        }
        if one.is_name() {
            return Some(one);
        }
        let closed = rest[begin + 1..].iter().take_while(|piece| piece.is(")")).count();
        rest = &rest[begin + 1 + closed..];
        let goes_on = |next: &Piece| next.is_operator() || next.text.starts_with('-');
        if !one.text.ends_with('-') && rest.first().is_none_or(|next| !goes_on(next)) {
            return None;
        }
    }
}

/// A name among what an address is set to by a map.
fn set_to(rest: &[Piece]) -> Option<&Piece> {
    let end = rest.iter().position(|piece| piece.is("set")).unwrap_or(rest.len());
    let map = rest[..end].iter().position(|piece| piece.is("map"))?;
    let elements = rest[map + 1..].split(|piece| piece.is("}")).next()?;
    elements.split(|piece| piece.is(",")).find_map(|element| {
        let to = element.iter().position(|piece| piece.is(":"))?;
        element[to + 1..].iter().find(|piece| piece.is_name())
    })
}

/// A name at a place of the elements up to the closing brace.
fn in_braces(pieces: &[Piece], place: usize) -> Option<&Piece> {
    let end = pieces.iter().position(|piece| piece.is("}")).unwrap_or(pieces.len());
    pieces[..end].split(|piece| piece.is(",")).find_map(|element| {
        // What it maps to comes behind a colon.
        let key = element.split(|piece| piece.is(":")).next()?;
        let part = key.split(|piece| piece.is(".")).nth(place)?;
        part.iter().find(|piece| piece.is_name())
    })
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (run, at, quoted) in runs(text) {
        if quoted || !run.contains(':') || begins_v6(&run) {
            pieces.push(Piece { at, text: run });
            continue;
        }
        let mut at = at;
        for part in run.split_inclusive(':') {
            let word = part.trim_end_matches(':');
            if !word.is_empty() {
                pieces.push(Piece { at, text: word.to_owned() });
            }
            if part.ends_with(':') {
                pieces.push(Piece { at: at + word.chars().count(), text: ":".to_owned() });
            }
            at += part.chars().count();
        }
    }
    pieces
}

/// Words, marks, and what is quoted, with the character at which each begins.
fn runs(text: &str) -> Vec<(String, usize, bool)> {
    let mut runs: Vec<(String, usize, bool)> = Vec::new();
    let (mut is_quoted, mut is_open) = (false, false);
    for (at, c) in text.chars().enumerate() {
        let is_mark = !is_quoted && "{}()[],=!<>&|^@".contains(c);
        if c == '"' {
            is_quoted = !is_quoted;
            is_open = false;
        } else if !is_quoted && matches!(c, ' ' | '\t') {
            is_open = false;
        } else if is_open && !is_mark {
            if let Some((run, ..)) = runs.last_mut() {
                run.push(c);
            }
        } else {
            runs.push((c.into(), at, is_quoted));
            is_open = !is_mark;
        }
    }
    runs
}
