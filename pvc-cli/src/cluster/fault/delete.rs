//! `pvc cluster fault delete` and `delete-all`.

use clap::Args;
use pvc_client::call;

use super::Faults;
use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Delete faults.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    faults: Faults,
}

impl Delete {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        for id in &self.faults.ids {
            session.tell(&call::cluster::delete_fault(id)).await?;
        }
        Ok(())
    }
}

/// Delete every fault.
#[derive(Debug, Args)]
pub(crate) struct DeleteAll {
    #[command(flatten)]
    consent: Consent,
}

impl DeleteAll {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let agreed = shell.confirm("Delete all faults", self.consent.yes)?;
        session.tell(&call::cluster::delete_all_faults(&agreed)).await
    }
}
