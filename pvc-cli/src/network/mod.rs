//! `pvc network`: networks of VMs.

mod acl;
mod add;
mod dhcp;
#[cfg(test)]
mod golden;
mod info;
mod list;
mod modify;
mod remove;
mod settings;
mod sriov;

pub(crate) use sriov::no_vf;

use clap::Subcommand;
use pvc_client::call;
use pvc_common::api::Network;

use crate::failure::{Failure, Outcome};
use crate::session::Session;
use crate::shell::Shell;
use crate::show::Cell;

/// What can be done with networks.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add(add::Add),
    Modify(modify::Modify),
    Remove(remove::Remove),
    Info(info::Info),
    List(list::List),
    /// Addresses of a network: kept for an interface, or given away by DHCP.
    #[command(subcommand)]
    Dhcp(dhcp::Verb),
    /// Firewall rules of a network.
    #[command(subcommand)]
    Acl(acl::Verb),
    /// Cards that are divided into functions for VMs.
    #[command(subcommand)]
    Sriov(sriov::Noun),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(shell).await,
            Self::Modify(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
            Self::Info(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
            Self::Dhcp(verb) => verb.run(shell).await,
            Self::Acl(verb) => verb.run(shell).await,
            Self::Sriov(noun) => noun.run(shell).await,
        }
    }
}

/// The network of this VNI or description.
pub(crate) async fn find(session: &Session, network: &str) -> Result<Network, Failure> {
    session.one(&call::network::info(network), "Network", network).await
}

/// A setting of a network; the API says `None` for what is not set, or nothing.
fn setting(text: &str) -> Cell {
    Cell::or_na(if text == "None" { "" } else { text })
}

/// The size of a network's packets as they are, and what was asked for if that does not fit.
fn mtu(network: &Network) -> Cell {
    let (asked, in_force) = (network.mtu.as_str(), network.mtu_in_force.as_str());
    match asked {
        _ if in_force.is_empty() || asked == in_force => setting(asked),
        "" | "None" => setting(in_force),
        _ => format!("{in_force} (not {asked})").into(),
    }
}

/// A flag of a network, which is a text.
fn flag(text: &str) -> Cell {
    if text == "True" { "yes" } else { "no" }.into()
}
