//! `pvc cluster fault`: what lowers the cluster's health.

mod ack;
mod delete;
mod list;

use clap::{Args, Subcommand};

use crate::failure::Outcome;
use crate::shell::Shell;

/// Faults of the cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Ack(ack::Ack),
    AckAll(ack::AckAll),
    Delete(delete::Delete),
    DeleteAll(delete::DeleteAll),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::List(verb) => verb.run(shell).await,
            Self::Ack(verb) => verb.run(shell).await,
            Self::AckAll(verb) => verb.run(shell).await,
            Self::Delete(verb) => verb.run(shell).await,
            Self::DeleteAll(verb) => verb.run(shell).await,
        }
    }
}

/// One fault or several.
#[derive(Debug, Args)]
struct Faults {
    /// Identifiers of the faults.
    #[arg(value_name = "FAULT_ID", required = true)]
    ids: Vec<String>,
}
