//! `pvc network dhcp remove`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Keep an address no longer; or forget one that DHCP gave away, if none is kept.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Network, by VNI or description.
    #[arg(value_name = "NET")]
    network: String,
    /// Hardware address of the interface, its address or its name.
    #[arg(value_name = "MACADDR")]
    mac: String,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let Self { network, mac, consent } = &self;
        let question = format!(
            "If no address is kept for it, a VM that has this one loses its DNS name and its metadata until it \
             renews the lease, which may take a day.\n\
             Remove DHCP lease \"{mac}\" in network \"{network}\""
        );
        let agreed = shell.confirm(&question, consent.yes)?;
        session.tell(&call::network::remove_lease(network, mac, &agreed)).await
    }
}
