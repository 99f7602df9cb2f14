//! `pvc storage volume`: the disks of VMs.

mod add;
mod clone;
#[cfg(test)]
mod golden;
mod list;
mod place;
mod remove;
mod rename;
mod resize;
mod snapshot;
mod upload;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Volumes: the disks of VMs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add(add::Add),
    Upload(upload::Upload),
    Remove(remove::Remove),
    Resize(resize::Resize),
    Rename(rename::Rename),
    Clone(clone::Clone),
    List(list::List),
    /// Snapshots of volumes.
    #[command(subcommand)]
    Snapshot(snapshot::Verb),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(shell).await,
            Self::Upload(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
            Self::Resize(verb) => verb.run(shell).await,
            Self::Rename(verb) => verb.run(shell).await,
            Self::Clone(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
            Self::Snapshot(verb) => verb.run(shell).await,
        }
    }
}
