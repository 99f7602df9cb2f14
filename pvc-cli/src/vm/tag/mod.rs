//! `pvc vm tag`: tags of a VM.

mod add;
mod get;
mod remove;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Tags of a VM.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Get(get::Get),
    Add(add::Add),
    Remove(remove::Remove),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Get(verb) => verb.run(shell).await,
            Self::Add(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
        }
    }
}
