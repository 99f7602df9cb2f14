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
    Add(add::Add),
    Remove(remove::Remove),
    List(list::List),
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
