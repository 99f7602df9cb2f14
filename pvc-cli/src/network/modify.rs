//! `pvc network modify`.

use clap::Args;
use pvc_client::call;

use super::settings::Settings;
use crate::failure::Outcome;
use crate::shell::Shell;

/// Change a network; what is not given stays, and an empty text ("") clears.
#[derive(Debug, Args)]
pub(crate) struct Modify {
    /// Network, by VNI or description.
    vni: String,
    /// Another name for the network.
    #[arg(short, long)]
    description: Option<String>,
    /// Size of its packets.
    #[arg(short, long)]
    mtu: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

impl Modify {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let settings = self.settings.given(self.description, self.mtu);
        session.tell(&call::network::modify(&self.vni, &settings)).await
    }
}
