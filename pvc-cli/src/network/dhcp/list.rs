//! `pvc network dhcp list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::NetworkLease;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::network::setting;
use crate::paint::{Paint, tame};
use crate::session::Nothing;
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
        let network = call::network::info(&self.network);
        session
            .show_list(
                &request,
                Nothing::from("leases").of(&network, "Network", &self.network),
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
        let lines = leases.iter().filter(|lease| !is_kept(lease, leases)).map(|lease| {
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
    let names: &[&str] = &["Hostname", "IP Address", "MAC Address", "Until"];
    let mut table = Table::new(&[(title, names)]);
    for lease in leases.iter().filter(|lease| !is_kept(lease, leases)) {
        table.row(vec![
            setting(&lease.hostname),
            setting(address(lease)),
            (&lease.mac_address).into(),
            until(lease, leases),
        ]);
    }
    table.render(paint)
}

const KEPT: &str = "static";

/// Whether these are the reservation of an address and its lease.
fn belong(kept: &NetworkLease, lease: &NetworkLease) -> bool {
    kept.timestamp == KEPT
        && lease.timestamp != KEPT
        && kept.mac_address.eq_ignore_ascii_case(&lease.mac_address)
        && address(kept) == address(lease)
}

/// Whether it is the lease of an address that is kept, and shown with that.
fn is_kept(lease: &NetworkLease, leases: &[NetworkLease]) -> bool {
    leases.iter().any(|kept| belong(kept, lease))
}

/// When a lease ends; `static` for what is kept, with the end of its lease if it has one.
fn until(lease: &NetworkLease, leases: &[NetworkLease]) -> Cell {
    match leases.iter().find(|other| belong(lease, other)) {
        Some(given) => format!("{KEPT} (leased until {})", end(&given.timestamp)).into(),
        None => Cell::or_na(&end(&lease.timestamp)),
    }
}

/// A time in UNIX seconds, for people; other texts as they are.
fn end(timestamp: &str) -> String {
    match timestamp.parse::<u64>() {
        Ok(seconds) => moment(seconds.saturating_mul(1000)),
        Err(_) => timestamp.to_owned(),
    }
}
