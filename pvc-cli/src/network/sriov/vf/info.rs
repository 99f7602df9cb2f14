//! `pvc network sriov vf info`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::SriovVf;

use crate::failure::Outcome;
use crate::format::{Form, PageFormat};
use crate::network::no_vf;
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Sheet};

/// Show one virtual function.
#[derive(Debug, Args)]
pub(crate) struct Info {
    /// Node it is in.
    node: String,
    /// Name of the function.
    vf: String,
    #[command(flatten)]
    format: PageFormat,
}

impl Info {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::sriov::vf(&self.node, &self.vf);
        let missing = no_vf(&self.node, &self.vf);
        match self.format.form() {
            Form::Json(json) => {
                shell.out.json(&session.only::<serde_json::Value>(&request, missing).await?, json)
            }
            Form::Laid(()) => {
                let vf = session.only(&request, missing).await?;
                shell.out.data(&render(&vf, shell.out.paint()))
            }
        }
    }
}

/// The page about a virtual function.
pub(in crate::network::sriov) fn render(vf: &SriovVf, paint: Paint) -> String {
    let (config, pci) = (&vf.config, &vf.pci);
    let mut sheet = Sheet::default();
    let mut value = |label, text: &str| sheet.value(label, Cell::or_na(text));
    value("VF", &vf.phy);
    value("PF", &vf.pf);
    value("MTU", &vf.mtu);
    value("MAC Address", &vf.mac);
    let place = format!("{}:{}:{}.{}", pci.domain, pci.bus, pci.slot, pci.function);
    value("PCI Address", if pci.bus.is_empty() { "" } else { &place });
    sheet.blank();
    let mut value = |label, text: &str| sheet.value(label, Cell::or_na(text));
    value("VLAN ID", &config.vlan_id);
    value("VLAN QoS", &config.vlan_qos);
    value("Min TX Rate (Mbit/s)", &config.tx_rate_min);
    value("Max TX Rate (Mbit/s)", &config.tx_rate_max);
    value("Link State", &config.link_state);
    value("Spoof Check", &config.spoof_check);
    value("Trust", &config.trust);
    value("Query RSS", &config.query_rss);
    sheet.blank();
    sheet.value("Used", Cell::or_na(&vf.usage.used));
    sheet.value("Used By", Cell::or_na(&vf.usage.domain));
    sheet.render(paint)
}
