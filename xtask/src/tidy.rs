//! `cargo xtask tidy`: what the compiler and clippy do not hold: sizes, and words in their places.

mod ratchet;
mod rule;
mod size;
mod source;

use std::fs;

use anyhow::{Context, Result, bail};

use crate::say;
use crate::workspace::root;

/// The list of what is larger than it should be, relative to the root.
const RATCHET: &str = "xtask/tidy-ratchet.txt";

/// Checks every source file; with `shrink`, first takes from the ratchet what has become smaller.
///
/// # Errors
/// Names every place that is not tidy.
pub(crate) fn run(shrink: bool) -> Result<()> {
    let sources = source::all(root())?;
    let path = root().join(RATCHET);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {RATCHET}"))?;
    let mut listed = ratchet::parse(&text)?;
    let oversized = size::oversized(&sources);
    if shrink {
        listed = ratchet::shrink(&listed, &oversized);
        fs::write(&path, ratchet::print(&listed))?;
    }
    let mut untidy = ratchet::compare(&listed, &oversized);
    for source in &sources {
        untidy.extend(rule::broken(source));
    }
    untidy.extend(rule::forgotten_bans(root())?);
    say::note(&size::summary(&sources));
    if untidy.is_empty() {
        return Ok(());
    }
    for line in &untidy {
        say::note(line);
    }
    bail!("{} places are not tidy; see docs/STYLE.md", untidy.len())
}
