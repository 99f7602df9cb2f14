//! One run of cargo-nextest, or of `cargo test` where there is none.

use std::fs::File;
use std::io::{BufRead, BufReader, pipe};
use std::ops::AddAssign;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::failure;
use super::tally::Tally;
use crate::run::Run;
use crate::say;
use crate::workspace::{cargo, is_cargo_verb};

/// How long the last output may take to arrive after the runner has ended.
const AFTERMATH: Duration = Duration::from_secs(2);

/// What came of a run, or of several.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// How many tests did what.
    pub(super) tally: Tally,
    /// Why tests failed.
    pub(super) failures: Vec<String>,
}

impl Report {
    fn of(output: &str) -> Self {
        Self { tally: Tally::of(output), failures: failure::panics(output) }
    }
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.tally += other.tally;
        self.failures.extend(other.failures);
    }
}

/// Builds and runs the tests that `selection` names, in both runners' words.
///
/// # Errors
/// When they do not build or do not end in time; a failed test is counted, not an error.
pub(super) fn run(
    selection: &[&str],
    settings: &[(&str, &str)],
    limit: Duration,
) -> Result<Report> {
    let mut command = runner()?;
    command.arg("--locked").args(selection).envs(settings.iter().copied());
    let (reader, writer) = pipe()?;
    let output = echo(BufReader::new(reader));
    let ended = Run::of(command).into_file(File::from(OwnedFd::from(writer))).limit(limit).finish();
    let report = Report::of(&output.recv_timeout(AFTERMATH).unwrap_or_default());
    let status = ended?.status;
    ensure!(status.success() || report.tally.failed > 0, "the tests did not run: {status}");
    Ok(report)
}

/// The better runner that is installed.
fn runner() -> Result<Command> {
    if is_cargo_verb("nextest")? {
        let mut command = cargo("nextest");
        command.args(["run", "--no-fail-fast", "--no-tests", "pass"]);
        return Ok(command);
    }
    let mut command = cargo("test");
    command.arg("--no-fail-fast");
    Ok(command)
}

/// Shows every line as it comes, and hands over all of them at the end.
fn echo(reader: impl BufRead + Send + 'static) -> mpsc::Receiver<String> {
    let (all, collected) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        for line in reader.lines().map_while(Result::ok) {
            say::note(&line);
            text.push_str(&line);
            text.push('\n');
        }
        all.send(text)
    });
    collected
}
