//! What the firewall is to be, as tables, and what hostile texts must not do to it.

mod changing;
mod hostile;
mod rendering;
mod sifting;

use std::collections::BTreeMap;
use std::sync::Arc;

use pvc_common::id::Vni;
use pvc_common::model::{Network, Rule};
use pvc_common::observed::FirewallTable;
use pvc_common::state::NetworkType;
use pvc_common::view::Shared;
use pvc_common::zk::{Seen, Version};

use super::*;

fn seen<T>(value: T) -> Seen<T> {
    Seen::Value { value, version: Version(0) }
}

fn vni(number: u32) -> Vni {
    number.to_string().parse().unwrap()
}

fn rule(order: u32, text: &str) -> Rule {
    Rule { znode: seen(()), rule: seen(text.to_owned()), order: seen(order) }
}

/// A managed network with rules for what enters it: name, order, text.
fn network(rules_in: &[(&str, u32, &str)]) -> Network {
    let rules_in =
        rules_in.iter().map(|(name, order, text)| (name.parse().unwrap(), rule(*order, text)));
    Network { kind: seen(NetworkType::Managed), rules_in: rules_in.collect(), ..Network::default() }
}

fn networks(networks: &[(u32, Network)]) -> Shared<Vni, Network> {
    networks.iter().map(|(number, network)| (vni(*number), Arc::new(network.clone()))).collect()
}

fn wanted(networks: &Shared<Vni, Network>) -> Wanted {
    Renderer::default().render(networks, &BTreeMap::new())
}

fn changes(wanted: &Wanted, seen: Option<&FirewallTable>) -> Vec<Change> {
    super::changes(&Base::new(&Nodes::default()), wanted, seen)
}

fn table(wanted: &Wanted) -> FirewallTable {
    super::table(&Base::new(&Nodes::default()), wanted)
}
