//! `pvc storage pool`: pools of volumes.

mod add;
#[cfg(test)]
mod golden;
mod list;
mod remove;
mod set_pgs;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Pools of volumes.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add(add::Add),
    Remove(remove::Remove),
    SetPgs(set_pgs::SetPgs),
    List(list::List),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
            Self::SetPgs(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
        }
    }
}
