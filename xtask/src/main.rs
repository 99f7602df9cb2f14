//! The project's own commands.

mod apt;
mod deb;
mod run;
mod say;
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
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Deb => deb::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
