//! `pvc network dhcp`: addresses of a network.

mod add;
mod list;
mod remove;

use clap::Subcommand;

#[cfg(test)]
pub(super) use list::render;
pub(super) use list::table;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Addresses of a network.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add(add::Add),
    Remove(remove::Remove),
    List(list::List),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
        }
    }
}
