//! `pvc network sriov vf set`.

use clap::{Args, ValueEnum};
use pvc_client::call;
use pvc_client::call::sriov::VfWish;

use crate::failure::{Failure, Outcome};
use crate::options::word;
use crate::shell::Shell;

/// Change settings of a virtual function: only what is given.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Node it is in.
    node: String,
    /// Name of the function.
    vf: String,
    /// VLAN it is in; 0 for none.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u32).range(..=4094))]
    vlan_id: Option<u32>,
    /// Priority in the VLAN.
    #[arg(long, value_name = "QOS", value_parser = clap::value_parser!(u32).range(..=7))]
    vlan_qos: Option<u32>,
    /// Least rate of sending, in Mbit/s; 0 for none.
    #[arg(long, value_name = "RATE")]
    tx_rate_min: Option<u32>,
    /// Greatest rate of sending, in Mbit/s; 0 for none.
    #[arg(long, value_name = "RATE")]
    tx_rate_max: Option<u32>,
    /// What the VM is told of the cable.
    #[arg(long, value_enum)]
    link_state: Option<LinkState>,
    /// Whether packets with foreign sender addresses are dropped.
    #[arg(long, value_enum, value_name = "ON/OFF")]
    spoof_check: Option<Switch>,
    /// Whether the VM may change its address and see all packets.
    #[arg(long, value_enum, value_name = "ON/OFF")]
    trust: Option<Switch>,
    /// Whether the VM may ask how load is spread.
    #[arg(long, value_enum, value_name = "ON/OFF")]
    query_rss: Option<Switch>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LinkState {
    /// What the card sees.
    Auto,
    /// That there is one.
    Enable,
    /// That there is none.
    Disable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

impl Switch {
    fn is_on(self) -> bool {
        self == Self::On
    }
}

impl Set {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let wish = VfWish {
            vlan_id: self.vlan_id,
            vlan_qos: self.vlan_qos,
            tx_rate_min: self.tx_rate_min,
            tx_rate_max: self.tx_rate_max,
            link_state: self.link_state.map(word),
            spoof_check: self.spoof_check.map(Switch::is_on),
            trust: self.trust.map(Switch::is_on),
            query_rss: self.query_rss.map(Switch::is_on),
        };
        if wish == VfWish::default() {
            return Err(Failure::usage("There is nothing to change.")
                .hint("`pvc network sriov vf set --help` shows what can be."));
        }
        let session = shell.connect()?;
        session.tell(&call::sriov::set_vf(&self.node, &self.vf, &wish)).await
    }
}
