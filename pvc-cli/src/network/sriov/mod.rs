//! `pvc network sriov`: cards that are divided into functions for VMs.

#[cfg(test)]
mod golden;
mod pf;
mod vf;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Cards and their functions.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Physical functions: the ports of cards that are divided.
    #[command(subcommand)]
    Pf(pf::Verb),
    /// Virtual functions: what they are divided into.
    #[command(subcommand)]
    Vf(vf::Verb),
}

impl Noun {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Pf(verb) => verb.run(shell).await,
            Self::Vf(verb) => verb.run(shell).await,
        }
    }
}
