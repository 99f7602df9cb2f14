//! `pvc network sriov`: cards that are divided into functions for VMs.

#[cfg(test)]
mod golden;
mod pf;
mod vf;

use clap::Subcommand;

use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

/// There is no such virtual function on the node.
pub(crate) fn no_vf(node: &str, vf: &str) -> Failure {
    Failure::new(format!("SR-IOV VF \"{vf}\" not found on node \"{node}\"."))
        .hint(format!("`pvc network sriov vf list {node}` shows those that exist."))
}

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
