//! `pvc network acl remove`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Remove a firewall rule of a network.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Network, by VNI or description.
    #[arg(value_name = "NET")]
    network: String,
    /// The rule, by its description.
    rule: String,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let Self { network, rule, consent } = &self;
        let question = format!("Remove firewall rule \"{rule}\" in network \"{network}\"");
        let agreed = shell.confirm(&question, consent.yes)?;
        session.tell(&call::network::remove_rule(network, rule, &agreed)).await
    }
}
