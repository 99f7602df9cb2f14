//! `pvc network dhcp add`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Keep an IPv4 address for an interface.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Network, by VNI or description.
    #[arg(value_name = "NET")]
    network: String,
    /// The address.
    #[arg(value_name = "IPADDR")]
    address: String,
    /// The name that goes with it, without a domain; "" for none.
    hostname: String,
    /// Hardware address of the interface.
    #[arg(value_name = "MACADDR")]
    mac: String,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let Self { network, address, hostname, mac } = &self;
        session.tell(&call::network::add_reservation(network, mac, address, hostname)).await
    }
}
