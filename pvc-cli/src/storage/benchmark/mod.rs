//! `pvc storage benchmark`: how fast a pool is.

mod figures;
#[cfg(test)]
mod golden;
mod info;
mod list;
mod run;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Measurements of pools.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Run(run::Run),
    Info(info::Info),
    List(list::List),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Run(verb) => verb.run(shell).await,
            Self::Info(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
        }
    }
}
