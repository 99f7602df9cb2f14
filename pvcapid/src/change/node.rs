//! What is wished of a node.

use pvc_common::id::NodeName;
use pvc_common::model::Node;
use pvc_common::state::{DaemonMode, DaemonState, DomainState};
use pvc_common::zk::{Op, Seen, key};

use super::{Change, unreadable};
use crate::api::ApiError;

/// Whether a node shall take VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DomainWish {
    /// It shall.
    Ready,
    /// It shall not, and what runs there shall leave.
    Flush,
}

impl DomainWish {
    /// The words of the API.
    pub(crate) const WORDS: &[(&'static str, Self)] =
        &[("ready", Self::Ready), ("flush", Self::Flush)];

    /// The state that a node is in until the wish is fulfilled.
    pub(crate) const fn under_way(self) -> DomainState {
        match self {
            Self::Ready => DomainState::Unflush,
            Self::Flush => DomainState::Flush,
        }
    }

    /// The state that a node is in once the wish is fulfilled.
    pub(crate) const fn fulfilled(self) -> DomainState {
        match self {
            Self::Ready => DomainState::Ready,
            Self::Flush => DomainState::Flushed,
        }
    }

    /// What is told when there is nothing to do.
    pub(crate) fn already(self, node: &NodeName) -> String {
        let state = match self {
            Self::Ready => "ready",
            Self::Flush => "flushed",
        };
        format!("Node {node} is already {state}.")
    }

    /// What is told when the wish was waited for and is fulfilled.
    pub(crate) fn done(self, node: &NodeName) -> String {
        match self {
            Self::Ready => format!("Restored node {node} to active service."),
            Self::Flush => format!("Removed node {node} from active service."),
        }
    }
}

/// Asks a node to be flushed or to be ready again; may be reversed at any time.
pub(crate) fn set_domain_state(
    node: &NodeName,
    seen: &Seen<DomainState>,
    wish: DomainWish,
) -> Result<Change, ApiError> {
    let now = seen.copied().ok_or_else(|| unreadable("The node's domain state"))?;
    let message = match wish {
        DomainWish::Ready => format!("Restoring node {node} to active service."),
        DomainWish::Flush => format!("Removing node {node} from active service."),
    };
    if now == wish.fulfilled() {
        return Ok(Change::nothing(wish.already(node)));
    }
    if now == wish.under_way() {
        return Ok(Change::nothing(message));
    }
    if now == DomainState::FenceFlush {
        return Err(ApiError::refused(
            "fencing",
            format!("ERROR: Node {node} is being evacuated after it was fenced."),
        ));
    }
    let put = key::node_domain_state(node).put(seen, &wish.under_way());
    Ok(Change::of([Some(put)], message))
}

/// Whether a node shall be the primary coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoordinatorWish {
    /// It shall.
    Primary,
    /// It shall not; any other coordinator may.
    Secondary,
}

impl CoordinatorWish {
    /// The words of the API.
    pub(crate) const WORDS: &[(&'static str, Self)] =
        &[("primary", Self::Primary), ("secondary", Self::Secondary)];
}

/// Names the node that shall be primary, or opens the place for any other coordinator.
pub(crate) fn set_coordinator_state(
    name: &NodeName,
    node: &Node,
    primary: &Seen<Option<NodeName>>,
    wish: CoordinatorWish,
) -> Result<Change, ApiError> {
    if node.mode.copied() != Some(DaemonMode::Coordinator) {
        let message =
            format!("ERROR: Cannot change coordinator state on non-coordinator node {name}");
        return Err(ApiError::refused("not-a-coordinator", message));
    }
    if node.daemon_state.copied() != Some(DaemonState::Run) {
        return Err(ApiError::refused(
            "node-not-active",
            format!("ERROR: Node {name} is not active"),
        ));
    }
    let is_primary = primary.get().is_some_and(|now| now.as_ref() == Some(name));
    let (word, successor) = match wish {
        CoordinatorWish::Primary => ("primary", name.as_str()),
        // Not left empty: upstream's daemons contend for the place when they read this word.
        CoordinatorWish::Secondary => ("secondary", "none"),
    };
    if is_primary == (wish == CoordinatorWish::Primary) {
        let message = format!("Node {name} is already in {word} coordinator state.");
        return Ok(Change::nothing(message));
    }
    let put = Op::put(key::primary_node().into_path(), successor, primary.expected());
    Ok(Change::of([Some(put)], format!("Setting node {name} in {word} coordinator state.")))
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::Version;

    use super::*;

    fn seen<T>(value: T) -> Seen<T> {
        Seen::Value { value, version: Version(1) }
    }

    fn hv(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    fn coordinator() -> Node {
        Node {
            mode: seen(DaemonMode::Coordinator),
            daemon_state: seen(DaemonState::Run),
            ..Node::default()
        }
    }

    #[test]
    fn a_flush_may_be_reversed_while_it_runs() {
        let change =
            set_domain_state(&hv("hv1"), &seen(DomainState::Flush), DomainWish::Ready).unwrap();
        assert_eq!(change.ops.len(), 1);
        assert_eq!(change.message, "Restoring node hv1 to active service.");
    }

    #[test]
    fn a_fulfilled_wish_writes_nothing() {
        for (state, wish, message) in [
            (DomainState::Flushed, DomainWish::Flush, "Node hv1 is already flushed."),
            (DomainState::Ready, DomainWish::Ready, "Node hv1 is already ready."),
            (DomainState::Flush, DomainWish::Flush, "Removing node hv1 from active service."),
        ] {
            let change = set_domain_state(&hv("hv1"), &seen(state), wish).unwrap();
            assert_eq!(change, Change::nothing(message));
        }
    }

    #[test]
    fn an_evacuation_after_a_fence_is_not_interrupted() {
        let state = seen(DomainState::FenceFlush);
        assert!(set_domain_state(&hv("hv1"), &state, DomainWish::Ready).is_err());
    }

    #[test]
    fn only_a_serving_coordinator_can_become_primary() {
        let primary = seen(Some(hv("hv2")));
        let wish = CoordinatorWish::Primary;
        let change = set_coordinator_state(&hv("hv1"), &coordinator(), &primary, wish).unwrap();
        assert_eq!(change.ops, [key::primary_node().put(&primary, &Some(hv("hv1")))]);
        let hypervisor = Node { mode: seen(DaemonMode::Hypervisor), ..coordinator() };
        let dead = Node { daemon_state: seen(DaemonState::Dead), ..coordinator() };
        for node in [hypervisor, dead] {
            assert!(set_coordinator_state(&hv("hv1"), &node, &primary, wish).is_err());
        }
    }

    #[test]
    fn a_secondary_that_is_none_opens_the_place() {
        let primary = seen(Some(hv("hv1")));
        let wish = CoordinatorWish::Secondary;
        let change = set_coordinator_state(&hv("hv1"), &coordinator(), &primary, wish).unwrap();
        let Op::Set { data, .. } = &change.ops[0] else { panic!("a set") };
        assert_eq!(data, b"none");
        let change = set_coordinator_state(&hv("hv3"), &coordinator(), &primary, wish).unwrap();
        assert_eq!(change.message, "Node hv3 is already in secondary coordinator state.");
    }
}
