//! `pvc connection remove`.

use clap::Args;

use crate::failure::Outcome;
use crate::shell::Shell;
use crate::store::Store;

/// Remove a connection.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Name of the connection.
    name: String,
}

impl Remove {
    pub(crate) fn run(self, shell: &Shell) -> Outcome {
        Store::remove(shell.out, &self.name)?;
        shell.out.data(&format!("Removed connection \"{}\" from the local store.", self.name))
    }
}
