//! `pvc network dhcp list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::NetworkLease;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::network::setting;
use crate::paint::{Paint, tame};
use crate::shell::Shell;
use crate::show::{Cell, Table, moment};

/// List the addresses that a network keeps, and those that DHCP gave away.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Network, by VNI or description.
    #[arg(value_name = "NET")]
    network: String,
    /// Regular expression for the hardware addresses.
    limit: Option<String>,
    /// List only those that are kept.
    #[arg(short = 's', long = "static")]
    only_static: bool,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::network::leases(&self.network, self.limit.as_deref(), self.only_static);
        let paint = shell.out.paint();
        session
            .show_list(
                &request,
                "leases",
                self.format.form(),
                |leases: Vec<NetworkLease>, style| render(&leases, style, paint),
            )
            .await
    }
}

/// The address of either kind.
fn address(lease: &NetworkLease) -> &str {
    if lease.ip6_address.is_empty() { &lease.ip4_address } else { &lease.ip6_address }
}

/// The table of leases, or `mac|ip|hostname` of each.
pub(in crate::network) fn render(
    leases: &[NetworkLease],
    style: ListStyle,
    paint: Paint,
) -> String {
    if style == ListStyle::Raw {
        let lines = leases.iter().map(|lease| {
            let NetworkLease { mac_address, hostname, .. } = lease;
            // What a guest calls itself may be anything.
            tame(&format!("{mac_address}|{}|{hostname}", address(lease)))
        });
        return lines.collect::<Vec<_>>().join("\n");
    }
    table("Leases", leases, paint)
}

/// A table of leases.
pub(in crate::network) fn table(
    title: &'static str,
    leases: &[NetworkLease],
    paint: Paint,
) -> String {
    let names: &[&str] = &["Hostname", "IP Address", "MAC Address", "Timestamp"];
    let mut table = Table::new(&[(title, names)]);
    for lease in leases {
        table.row(vec![
            setting(&lease.hostname),
            setting(address(lease)),
            (&lease.mac_address).into(),
            end(&lease.timestamp),
        ]);
    }
    table.render(paint)
}

/// When a lease ends; `static` for what is kept.
fn end(timestamp: &str) -> Cell {
    match timestamp.parse::<u64>() {
        Ok(seconds) => moment(seconds.saturating_mul(1000)).into(),
        Err(_) => Cell::or_na(timestamp),
    }
}
