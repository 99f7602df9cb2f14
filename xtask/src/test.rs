//! `cargo xtask test`: everything that proves the project, in tiers, each with what it needs.

mod failure;
mod runner;
mod tally;
mod tier;

use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::say;
use tally::Tally;
use tier::{Outcome, Tier};

/// Which tiers to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leave out what needs root or services.
    #[arg(long, conflicts_with = "tier")]
    fast: bool,
    /// Run only this tier; may be given several times.
    #[arg(long, value_enum)]
    tier: Vec<Tier>,
    /// Run also what takes minutes: OSDs on spare disks, a Ceph that hangs.
    #[arg(long, conflicts_with = "fast")]
    long: bool,
}

/// Runs the tiers; the last line on stdout is the sum of their tests.
///
/// # Errors
/// When a test failed or did not build.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut sum = Tally::default();
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    for tier in chosen(options) {
        say::note(&format!("== {}", tier.title()));
        let started = Instant::now();
        let (tally, remark) = match tier.run(options.long) {
            Ok(Outcome::Ran(report)) => {
                failures.extend(report.failures);
                (report.tally, String::new())
            }
            Ok(Outcome::Impossible(reason)) => (Tally::SKIPPED, format!(" ({reason})")),
            Err(error) => (Tally::FAILED, format!(" ({error:#})")),
        };
        let took = say::seconds(started.elapsed());
        lines.push(format!("{:<9} {took:>7}  {tally}{remark}", tier.name()));
        sum += tally;
    }
    say::note("==");
    failures.iter().for_each(|failure| say::note(failure));
    lines.iter().for_each(|line| say::note(line));
    say::data(&sum.to_string());
    if sum.failed > 0 {
        bail!("tests failed");
    }
    Ok(())
}

fn chosen(options: &Options) -> Vec<Tier> {
    if options.fast {
        return vec![Tier::Unit];
    }
    if options.tier.is_empty() {
        return Tier::value_variants().to_vec();
    }
    options.tier.clone()
}
