//! The project's own commands.

mod apt;
mod bench;
mod check;
mod deb;
mod lab;
mod layers;
mod licences;
mod openapi;
mod run;
mod say;
mod sim;
mod test;
mod tidy;
mod wait;
mod workspace;

use std::ffi::OsString;
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
    /// Measure the release build; one JSON object a line.
    #[command(disable_help_flag = true)]
    Bench {
        /// What to measure, and how; `--help` tells.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Check the layout, the lints, the layers, the licences and the API's description.
    Check,
    /// Build the release binaries and the Debian packages into dist/.
    Deb,
    /// Bring up real hosts with a real cluster on this machine, and make trouble for it.
    Lab(lab::Arguments),
    /// Check which of our crates depends on which.
    Layers,
    /// Rewrite schema/openapi/pvc-v1.json from the API daemon.
    Openapi {
        /// Only compare.
        #[arg(long)]
        check: bool,
    },
    /// Play the whole cluster on virtual time: scenarios, or chance.
    #[command(disable_help_flag = true)]
    Sim {
        /// What to play; `--help` tells.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run the tests, tier by tier, installing what they need.
    Test(test::Options),
    /// Check sizes and words in their places.
    Tidy {
        /// First take from the list of what is too large what has become smaller.
        #[arg(long)]
        shrink: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Bench { arguments } => bench::run(&arguments),
        Verb::Check => check::run(),
        Verb::Deb => deb::run(),
        Verb::Lab(arguments) => lab::run(arguments),
        Verb::Layers => layers::run(),
        Verb::Openapi { check } => openapi::run(check),
        Verb::Sim { arguments } => sim::run(&arguments),
        Verb::Test(options) => test::run(&options),
        Verb::Tidy { shrink } => tidy::run(shrink),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
