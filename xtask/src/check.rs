//! `cargo xtask check`: everything that is held by a program rather than by a reviewer.

use anyhow::{Result, bail};

use crate::run::Run;
use crate::workspace::{BUILD_LIMIT, cargo, is_cargo_verb};
use crate::{layers, licences, openapi, say, tidy};

/// One check: its name, and what it does.
type Check = (&'static str, fn() -> Result<()>);

const CHECKS: [Check; 6] = [
    ("fmt", || aloud(&["fmt", "--all", "--", "--check"])),
    ("layers", layers::run),
    ("tidy", || tidy::run(false)),
    ("deny", deny),
    ("clippy", || {
        aloud(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--keep-going",
            "--locked",
            "--",
            "--deny",
            "warnings",
        ])
    }),
    ("openapi", || openapi::run(true)),
];

/// Runs every check, also after one has failed, so that one run tells all.
///
/// # Errors
/// Names the checks that failed.
pub(crate) fn run() -> Result<()> {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        if let Err(error) = say::step(name, check) {
            say::note(&format!("{name}: {error:#}"));
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    say::note("all checks passed");
    Ok(())
}

/// `cargo deny` where there is one; our own, smaller check otherwise.
fn deny() -> Result<()> {
    if is_cargo_verb("deny")? {
        say::note("deny: cargo deny");
        return aloud(&["deny", "--offline", "check", "licenses", "bans", "sources"]);
    }
    say::note("deny: cargo deny is not installed; checking the licences ourselves");
    licences::run()
}

/// A cargo command that talks to the terminal itself.
fn aloud(arguments: &[&str]) -> Result<()> {
    let (verb, arguments) = arguments.split_first().expect("every check names its verb");
    let mut command = cargo(verb);
    command.args(arguments);
    Run::of(command).limit(BUILD_LIMIT).into_file(say::terminal()?).done().map(drop)
}
