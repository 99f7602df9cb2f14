//! `pvc cluster maintenance`.

use clap::Subcommand;
use pvc_client::call;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Maintenance mode, in which no node is fenced unless a person orders it.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Turn maintenance mode on.
    On,
    /// Turn maintenance mode off.
    Off,
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let on = match self {
            Self::On => true,
            Self::Off => false,
        };
        let session = shell.connect()?;
        session.tell(&call::cluster::set_maintenance(on)).await
    }
}
