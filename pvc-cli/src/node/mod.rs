//! `pvc node`: hypervisors.

#[cfg(test)]
mod golden;
mod info;
mod is_primary;
mod list;
mod log;
mod place;
mod role;
mod service;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// What can be done with nodes.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Tell by the exit code whether a node is the primary coordinator.
    IsPrimary(is_primary::IsPrimary),
    /// Make a node the primary coordinator.
    Primary(role::Primary),
    /// Have a node give up being the primary coordinator.
    Secondary(role::Secondary),
    /// Take a node out of service: its VMs move to other nodes.
    Flush(service::Flush),
    /// Bring a node back into service: its VMs come home.
    Ready(service::Ready),
    /// Show the log of a node.
    Log(log::Log),
    /// Show one node.
    Info(info::Info),
    /// List nodes.
    List(list::List),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::IsPrimary(verb) => verb.run(shell).await,
            Self::Primary(verb) => verb.run(shell).await,
            Self::Secondary(verb) => verb.run(shell).await,
            Self::Flush(verb) => verb.run(shell).await,
            Self::Ready(verb) => verb.run(shell).await,
            Self::Log(verb) => verb.run(shell).await,
            Self::Info(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
        }
    }
}
