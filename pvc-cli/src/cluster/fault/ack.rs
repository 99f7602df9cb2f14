//! `pvc cluster fault ack` and `ack-all`.

use clap::Args;
use pvc_client::call;

use super::Faults;
use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Acknowledge faults: they no longer lower the health.
#[derive(Debug, Args)]
pub(crate) struct Ack {
    #[command(flatten)]
    faults: Faults,
}

impl Ack {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        for id in &self.faults.ids {
            session.tell(&call::cluster::acknowledge_fault(id)).await?;
        }
        Ok(())
    }
}

/// Acknowledge every fault.
#[derive(Debug, Args)]
pub(crate) struct AckAll {
    #[command(flatten)]
    consent: Consent,
}

impl AckAll {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let agreed = shell.confirm("Acknowledge all faults", self.consent.yes)?;
        session.tell(&call::cluster::acknowledge_all_faults(&agreed)).await
    }
}
