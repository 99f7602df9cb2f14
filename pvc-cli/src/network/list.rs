//! `pvc network list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::Network;

use super::{flag, mtu, setting};
use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table};

/// List networks, all or those that match.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Regular expression for the VNIs or descriptions.
    limit: Option<String>,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::network::list(self.limit.as_deref());
        let paint = shell.out.paint();
        session
            .show_list(&request, "networks", self.format.form(), |networks: Vec<Network>, style| {
                render(&networks, style, paint)
            })
            .await
    }
}

/// The table of networks, or their VNIs.
pub(super) fn render(networks: &[Network], style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let vnis: Vec<String> = networks.iter().map(|network| network.vni.to_string()).collect();
        return vnis.join("\n");
    }
    let mut table = Table::new(&[
        ("Networks", &["VNI", "Description", "Type", "MTU", "Domain"]),
        ("Config", &["IPv6", "DHCPv6", "IPv4", "DHCPv4"]),
    ]);
    for network in networks {
        table.row(vec![
            Cell::plain(network.vni),
            (&network.description).into(),
            (&network.kind).into(),
            mtu(network),
            setting(&network.domain),
            setting(&network.ip6.network),
            flag(&network.ip6.dhcp_flag),
            setting(&network.ip4.network),
            flag(&network.ip4.dhcp_flag),
        ]);
    }
    table.render(paint)
}
