//! `pvc cluster`: the cluster as a whole.

mod backup;
mod fault;
#[cfg(test)]
mod golden;
mod init;
mod maintenance;
mod restore;
mod status;
mod task;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// What can be done with the cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Status(status::Status),
    Init(init::Init),
    Backup(backup::Backup),
    Restore(restore::Restore),
    /// Faults of the cluster.
    #[command(subcommand)]
    Fault(fault::Verb),
    /// Maintenance mode, in which no node is fenced.
    #[command(subcommand)]
    Maintenance(maintenance::Verb),
    Task(task::Task),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Status(verb) => verb.run(shell).await,
            Self::Init(verb) => verb.run(shell).await,
            Self::Backup(verb) => verb.run(shell).await,
            Self::Restore(verb) => verb.run(shell).await,
            Self::Fault(verb) => verb.run(shell).await,
            Self::Maintenance(verb) => verb.run(shell).await,
            Self::Task(verb) => verb.run(shell).await,
        }
    }
}
