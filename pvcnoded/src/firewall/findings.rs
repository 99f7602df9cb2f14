//! What people are told of rules that are not in force.

use pvc_common::id::Vni;
use pvc_common::model::Network;
use pvc_common::view::Shared;
use pvc_common::zk::key::Direction;
use pvc_host::FirewallError;
use pvc_plan::firewall::{Rendered, Wanted};

use super::{Trouble, chain};
use crate::faults::Finding;
use crate::health;

/// As much as a warning.
const DELTA: u32 = 10;

/// Percent by which a node lowers its health whose networks may be open, or as they were once.
const NODE_DELTA: u32 = 25;

/// So that many rules do not make a text that nobody reads, nor one that does not fit.
const SHOWN_RULES: usize = 5;

/// A finding for each network of which something is left out.
pub(super) fn findings(
    networks: &Shared<Vni, Network>,
    wanted: &Wanted,
    troubles: &[Trouble],
) -> Vec<Finding> {
    let of_network = |(vni, rendered): (&Vni, &std::sync::Arc<Rendered>)| {
        let trouble = troubles.iter().find(|trouble| trouble.network == Some(*vni));
        let what = match trouble {
            Some(trouble) => format!(
                "its {}: {}",
                trouble.what.trim_start_matches("the "),
                chain(&trouble.source)
            ),
            None => omitted(rendered)?,
        };
        let name = networks.get(vni).and_then(|network| network.description.get());
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        Some(Finding {
            id: format!("FIREWALL_{vni}").parse().expect("a word is the id of a fault"),
            delta: DELTA,
            message: format!("Network {vni}{name}: {what}"),
        })
    };
    wanted.iter().filter_map(of_network).collect()
}

/// What the node's health check says: what is not as it shall be on this node as a whole.
///
/// What concerns one network is not in it, unless it is that nft hung there. That is a fault of its
/// own, and so are the rules that are left out on all nodes alike.
pub(super) fn of_node(networks: usize, troubles: &[Trouble]) -> health::Finding {
    let is_whole = |trouble: &&Trouble| {
        trouble.network.is_none() || !matches!(trouble.source, FirewallError::Refused { .. })
    };
    let whole: Vec<String> = troubles.iter().filter(is_whole).map(said).collect();
    if whole.is_empty() {
        let message = format!("the firewall of {networks} networks is in force");
        return health::Finding { delta: 0, message };
    }
    health::Finding { delta: NODE_DELTA, message: whole.join("; ") }
}

/// What is the trouble, for the log and the report.
pub(super) fn said(trouble: &Trouble) -> String {
    let Trouble { network, what, source } = trouble;
    let of = network.map(|vni| format!(" of network {vni}")).unwrap_or_default();
    format!("{what}{of}: {}", chain(source))
}

/// Which rules are left out, and why.
fn omitted(rendered: &Rendered) -> Option<String> {
    let one = |rule: &pvc_plan::firewall::Omitted| {
        let way = match rule.direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        format!("firewall rule `{}` ({way}) is left out: {}", rule.name, rule.why)
    };
    let all = &rendered.omitted;
    let mut shown: Vec<String> = all.iter().take(SHOWN_RULES).map(one).collect();
    let more = all.len().saturating_sub(SHOWN_RULES);
    shown.extend((more > 0).then(|| format!("and {more} more")));
    (!shown.is_empty()).then(|| shown.join("; "))
}
