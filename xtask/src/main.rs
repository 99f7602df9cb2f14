//! The project's own commands.

mod apt;
mod deb;
mod lab;
mod run;
mod say;
mod wait;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

/// One variant per command; its file does the work.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Build the release binaries and the Debian packages into dist/.
    Deb,
    /// Bring up real hosts with a real cluster on this machine, and make trouble for it.
    #[command(subcommand)]
    Lab(lab::Verb),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Deb => deb::run(),
        Verb::Lab(verb) => lab::run(verb),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
