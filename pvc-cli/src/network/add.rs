//! `pvc network add`.

use clap::{Args, ValueEnum};
use pvc_client::call;

use super::settings::Settings;
use crate::failure::Outcome;
use crate::options::word;
use crate::shell::Shell;

/// Make a network.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Number of the network, from 1 to 16777215; of a bridged one its VLAN ID.
    vni: String,
    /// Name of the network, in letters, digits, '.', '_' and '-'.
    #[arg(short, long)]
    description: String,
    /// How the network is carried.
    #[arg(short = 'p', long = "type", value_name = "TYPE", value_enum)]
    kind: Kind,
    /// Size of its packets; by default the greatest that fits.
    #[arg(short, long, default_value = "", hide_default_value = true)]
    mtu: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// By VXLAN, with addresses, DHCP, DNS and a firewall of its own.
    Managed,
    /// By a VLAN of the surrounding network, which looks after all the rest.
    Bridged,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let mut settings = self.settings.given(Some(self.description), Some(self.mtu));
        // A new network has no DHCP unless it is told to.
        settings.dhcp4.get_or_insert(false);
        session.tell(&call::network::add(&self.vni, &word(self.kind), &settings)).await
    }
}
