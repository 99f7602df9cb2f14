//! What is wrong with a node and with the storage, as a part of the health.
//!
//! Faults are reported once and stay until a person deletes them. This is of the moment: it ends
//! by itself when its cause does, so it is derived and never written.

mod storage;

use storage::osds;
pub(crate) use storage::storage;

use pvc_common::id::NodeName;
use pvc_common::model::Node;
use pvc_common::state::DaemonState;
use pvc_common::view::View;
use pvc_common::zk::Seen;

/// As much as a dead node costs among the faults.
const FENCING_DELTA: u32 = 50;
/// As much as a warning: nothing is lost yet, but the node's death would be hard to prove.
const UNFENCEABLE_DELTA: u32 = 10;

/// The names under which they stand among the results of a node's checks.
const FENCING: &str = "fencing";
const STORAGE: &str = "storage";
/// A check of the node's own, that says the same as [`unfenceable`].
const IPMI: &str = "ipmi";

/// Something that lowers the health while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Concern {
    /// What it is and whom it concerns, in the form of a fault's.
    pub(crate) id: String,
    /// Percent.
    pub(crate) delta: u32,
    /// What is the matter.
    pub(crate) text: String,
}

/// What lowers a node's health besides its own checks, by the name of a check: its fence, and its
/// OSDs that are down.
pub(crate) fn of_node(
    view: &View,
    name: &NodeName,
    node: &Node,
) -> impl Iterator<Item = (&'static str, Concern)> {
    let fencing = fencing(name, node).map(|concern| (FENCING, concern));
    fencing.into_iter().chain(osds(view, name).map(|concern| (STORAGE, concern)))
}

/// What is wrong with the node's fencing: that it is being fenced, or could not be.
pub(crate) fn concern(name: &NodeName, node: &Node) -> Option<Concern> {
    fencing(name, node).or_else(|| unfenceable(name, node))
}

/// What the checks of a node that is up found, as a part of the cluster's health: half of what it costs the
/// node, under the names that upstream's faults have.
pub(crate) fn checks(name: &NodeName, node: &Node) -> impl Iterator<Item = Concern> {
    let results = node.details.iter().filter(|_| is_up(node)).flat_map(|details| &details.results);
    let told = unfenceable(name, node).is_some();
    results.filter(move |(check, _)| !told || check.as_str() != IPMI).filter_map(
        move |(check, result)| {
            let delta = result.health_delta.copied()? / 2;
            let text = format!("{name} {check}: {}", result.message.get()?);
            let kind = format!("NODE_PLUGIN_{}", check.as_str().to_uppercase());
            (delta > 0).then(|| of(name, &kind, delta, text))
        },
    )
}

/// What a node said of itself before it ended is of no use now.
fn is_up(node: &Node) -> bool {
    match node.daemon_state.copied() {
        Some(DaemonState::Init | DaemonState::Run | DaemonState::Shutdown) => true,
        Some(DaemonState::Stop | DaemonState::Dead | DaemonState::Fenced) | None => false,
    }
}

fn of(name: &NodeName, kind: &str, delta: u32, text: String) -> Concern {
    Concern { id: format!("{kind}_{}", name.as_str().to_uppercase()), delta, text }
}

/// That the node is being fenced. No check of its own could say so.
fn fencing(name: &NodeName, node: &Node) -> Option<Concern> {
    let text = match &node.liveness.fence {
        Seen::Value { value, .. } => format!("Node {name} is being fenced: {}", value.why),
        Seen::Bad { .. } => {
            format!("Node {name} is being fenced, but the record of it cannot be understood")
        }
        Seen::Absent => return None,
    };
    Some(of(name, "NODE_FENCING", FENCING_DELTA, text))
}

/// That the node could not be switched off by its BMC, which its own check `ipmi` says, too.
fn unfenceable(name: &NodeName, node: &Node) -> Option<Concern> {
    let fenceable = node.liveness.fenceable.get().filter(|fenceable| !fenceable.ok)?;
    let text = format!("Node {name} could not be switched off by others: {}", fenceable.message);
    is_up(node).then(|| of(name, "NODE_UNFENCEABLE", UNFENCEABLE_DELTA, text))
}

#[cfg(test)]
mod tests {
    use pvc_common::model::{Fenceable, Liveness};
    use pvc_common::zk::Version;

    use super::*;

    fn seen<T>(value: T) -> Seen<T> {
        Seen::Value { value, version: Version(1) }
    }

    fn node(state: DaemonState, ok: bool) -> Node {
        let fenceable = seen(Fenceable { ok, message: "no answer".to_owned() });
        let liveness = Liveness { fenceable, ..Liveness::default() };
        Node { daemon_state: seen(state), liveness, ..Node::default() }
    }

    fn found(node: &Node) -> Option<(String, u32)> {
        let concern = concern(&"hv1".parse().unwrap(), node)?;
        Some((concern.id, concern.delta))
    }

    #[test]
    fn a_node_that_could_not_be_fenced_is_told_of_while_it_runs() {
        let unfenceable = Some(("NODE_UNFENCEABLE_HV1".to_owned(), 10));
        assert_eq!(found(&node(DaemonState::Run, false)), unfenceable);
        assert_eq!(found(&node(DaemonState::Run, true)), None);
        assert_eq!(found(&node(DaemonState::Fenced, false)), None);
        assert_eq!(found(&Node::default()), None, "nobody has checked");
    }

    #[test]
    fn a_fence_is_told_of_even_if_its_record_is_broken() {
        let mut node = node(DaemonState::Dead, false);
        node.liveness.fence = Seen::Bad { version: Version(1), why: "not JSON".into() };
        assert_eq!(found(&node), Some(("NODE_FENCING_HV1".to_owned(), 50)));
    }
}
