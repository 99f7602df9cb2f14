//! `pvc network acl add`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Add a firewall rule to a network.
///
/// What no rule decides is let through: a set of rules that admits something ends with one that drops.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Network, by VNI or description.
    #[arg(value_name = "NET")]
    network: String,
    /// The rule is about what enters the network (the default).
    #[arg(long = "in", conflicts_with = "leaving")]
    entering: bool,
    /// The rule is about what leaves the network.
    #[arg(long = "out", conflicts_with = "entering")]
    leaving: bool,
    /// Name of the rule, unique in the network.
    #[arg(short, long)]
    description: String,
    /// What the rule matches and does, in the language of nft: "tcp dport 22 accept".
    #[arg(short, long)]
    rule: String,
    /// How many rules of its direction are before it; the last by default.
    #[arg(short, long, value_name = "N")]
    order: Option<u32>,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let Self { network, leaving, description, rule, order, .. } = &self;
        let direction = if *leaving { "out" } else { "in" };
        let request = call::network::add_rule(network, description, direction, rule, *order);
        session.tell(&request).await
    }
}
