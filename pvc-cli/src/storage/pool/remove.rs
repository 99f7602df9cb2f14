//! `pvc storage pool remove`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Remove a pool and all its volumes.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Name of the pool.
    name: String,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Remove pool \"{}\" and all its volumes", self.name);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::storage::pool::remove(&self.name, &agreed)).await
    }
}
