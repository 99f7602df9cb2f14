//! `pvc connection`: clusters this client knows.

mod add;
mod detail;
mod list;
mod remove;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// What can be done with connections.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Add a connection, or replace the one of this name.
    Add(add::Add),
    /// Remove a connection.
    Remove(remove::Remove),
    /// List connections.
    List(list::List),
    /// List connections with the state of their clusters.
    Detail(detail::Detail),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(shell),
            Self::Remove(verb) => verb.run(shell),
            Self::List(verb) => verb.run(shell),
            Self::Detail(verb) => verb.run(shell).await,
        }
    }
}
