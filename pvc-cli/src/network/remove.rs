//! `pvc network remove`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Remove a network, with its reservations and firewall rules.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Network, by VNI or description.
    #[arg(value_name = "NET")]
    network: String,
    /// Remove it although VMs have interfaces in it.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Remove network \"{}\"", self.network);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::network::remove(&self.network, self.force, &agreed)).await
    }
}
