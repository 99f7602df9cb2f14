//! `pvc storage volume snapshot`: what volumes were before.

mod add;
mod list;
mod place;
mod remove;
mod rename;
mod rollback;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Snapshots of volumes.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add(add::Add),
    Rename(rename::Rename),
    Remove(remove::Remove),
    Rollback(rollback::Rollback),
    List(list::List),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(shell).await,
            Self::Rename(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
            Self::Rollback(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
        }
    }
}
