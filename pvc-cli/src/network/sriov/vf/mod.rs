//! `pvc network sriov vf`: what cards are divided into.

pub(super) mod info;
pub(super) mod list;
mod set;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// What can be done with virtual functions.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Info(info::Info),
    Set(set::Set),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::List(verb) => verb.run(shell).await,
            Self::Info(verb) => verb.run(shell).await,
            Self::Set(verb) => verb.run(shell).await,
        }
    }
}
