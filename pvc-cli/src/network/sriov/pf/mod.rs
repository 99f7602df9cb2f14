//! `pvc network sriov pf`: the ports of cards that are divided.

pub(super) mod list;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// What can be done with physical functions.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::List(verb) => verb.run(shell).await,
        }
    }
}
