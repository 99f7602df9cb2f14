//! `pvc storage volume snapshot rollback`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Put a volume back to what it was at a snapshot.
///
/// What was written since is lost. No VM may be using the volume.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    consent: Consent,
}

impl Rollback {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let (place, name) = self.place.named();
        let question = format!("Roll the volume back to snapshot \"{name}\"");
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::storage::snapshot::rollback(&place, &agreed)).await
    }
}
