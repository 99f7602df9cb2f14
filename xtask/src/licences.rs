//! What we are built from may be distributed under our licence, and how often it comes twice.
//!
//! `cargo deny` does this better where it is installed (`deny.toml`); this check needs nothing.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::say;
use crate::workspace::{Package, Workspace};

/// Licences of crates that may become part of a program under the GPL 3.
const ALLOWED: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "GPL-3.0-or-later",
    "ISC",
    "LGPL-2.1",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
];

/// Checks every package we are built from.
///
/// # Errors
/// Names every package whose licence is not allowed.
pub(crate) fn run() -> Result<()> {
    let packages = Workspace::whole()?.packages;
    let refused: Vec<&Package> = packages.iter().filter(|package| !is_allowed(package)).collect();
    for package in &refused {
        let licence = package.license.as_deref().unwrap_or("no licence");
        say::note(&format!("{} {}: {licence}", package.name, package.version));
    }
    if !refused.is_empty() {
        bail!("{} packages have a licence that is not allowed", refused.len());
    }
    let twice = duplicates(&packages);
    say::note(&format!(
        "licences: {} packages, all allowed; {} come in several versions: {}",
        packages.len(),
        twice.len(),
        twice.join(", ")
    ));
    Ok(())
}

fn is_allowed(package: &Package) -> bool {
    package.license.as_deref().is_some_and(is_satisfied)
}

/// Whether an SPDX expression can be satisfied with allowed licences alone.
///
/// Reads what crates really write: `A OR B`, `A/B`, `A AND (B OR C)`.
fn is_satisfied(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let satisfied = either(&mut rest);
    satisfied && rest.is_empty()
}

fn either(words: &mut &[&str]) -> bool {
    let mut satisfied = both(words);
    while accept(words, "OR") {
        satisfied |= both(words);
    }
    satisfied
}

fn both(words: &mut &[&str]) -> bool {
    let mut satisfied = one(words);
    while accept(words, "AND") {
        satisfied &= one(words);
    }
    satisfied
}

fn one(words: &mut &[&str]) -> bool {
    if accept(words, "(") {
        let satisfied = either(words);
        return accept(words, ")") && satisfied;
    }
    let Some((name, rest)) = words.split_first() else {
        return false;
    };
    *words = rest;
    let mut name = (*name).to_owned();
    if accept(words, "WITH") {
        let Some((exception, rest)) = words.split_first() else {
            return false;
        };
        *words = rest;
        name = format!("{name} WITH {exception}");
    }
    ALLOWED.contains(&name.as_str())
}

fn accept(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

/// The names of packages that are there in more than one version.
fn duplicates(packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages {
        *versions.entry(&package.name).or_default() += 1;
    }
    versions.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_alternative_is_enough() {
        assert!(is_satisfied("MIT OR Apache-2.0"));
        assert!(is_satisfied("GPL-2.0-only/MIT"));
        assert!(is_satisfied("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"));
    }

    #[test]
    fn every_part_of_a_conjunction_must_be_allowed() {
        assert!(is_satisfied("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!is_satisfied("(MIT OR Apache-2.0) AND OpenSSL"));
    }

    #[test]
    fn what_is_not_an_expression_is_refused() {
        assert!(!is_satisfied(""));
        assert!(!is_satisfied("MIT Apache-2.0"));
        assert!(!is_satisfied("(MIT"));
    }
}
