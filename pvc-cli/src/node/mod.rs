//! `pvc node`: hypervisors.

mod fence;
mod fencing;
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
    IsPrimary(is_primary::IsPrimary),
    Primary(role::Primary),
    Secondary(role::Secondary),
    Flush(service::Flush),
    Ready(service::Ready),
    Fence(fence::Fence),
    Log(log::Log),
    Info(info::Info),
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
            Self::Fence(fence) => fence.run(shell).await,
            Self::Log(verb) => verb.run(shell).await,
            Self::Info(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
        }
    }
}
