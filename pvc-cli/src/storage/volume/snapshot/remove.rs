//! `pvc storage volume snapshot remove`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Remove a snapshot.
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
        let (place, name) = self.place.named();
        let agreed = shell.confirm(&format!("Remove snapshot \"{name}\""), self.consent.yes)?;
        session.tell(&call::storage::snapshot::remove(&place, &agreed)).await
    }
}
