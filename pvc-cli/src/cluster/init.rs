//! `pvc cluster init`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Initialise a new cluster.
///
/// Done once, before the first node daemon starts.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Delete what is there: every VM definition, network and node.
    #[arg(short, long)]
    overwrite: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Init {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = if self.overwrite {
            "Delete all data of the cluster and initialise it"
        } else {
            "Initialise the cluster"
        };
        let agreed = shell.confirm(question, self.consent.yes)?;
        session.tell(&call::cluster::initialize(self.overwrite, &agreed)).await
    }
}
