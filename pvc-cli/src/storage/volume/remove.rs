//! `pvc storage volume remove`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Remove a volume and its snapshots.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Remove volume \"{}\" and its snapshots", self.place);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let Place { pool, name } = &self.place;
        session.tell(&call::storage::volume::remove(pool, name, &agreed)).await
    }
}
