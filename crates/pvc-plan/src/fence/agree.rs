//! What most observers agree on.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::id::NodeName;
use pvc_common::model::Node;
use pvc_common::state::{DaemonMode, DaemonState};
use pvc_common::view::View;

use crate::mesh::observers;

/// A node that more than half of its observers suspect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accused {
    /// The observers that suspect it.
    pub by: BTreeSet<NodeName>,
}

/// What stands in the tree and is not believed.
#[derive(Clone, Debug)]
pub struct Doubts<'a> {
    /// What these say against others: they may be dead, and their suspicions may have outlived them.
    pub silent: BTreeSet<NodeName>,
    /// Who counts the votes.
    pub me: &'a NodeName,
    /// What `me` says against these: it hears them, and its withdrawal is still on its way.
    pub hears: &'a BTreeSet<NodeName>,
}

impl Doubts<'_> {
    /// Whether to believe what `voter` says against `node`.
    fn believe(&self, voter: &NodeName, node: &NodeName) -> bool {
        let hears = voter == self.me && self.hears.contains(node);
        !hears && !self.silent.contains(voter)
    }
}

/// Every node that most of its observers suspect now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    accused: BTreeMap<NodeName, Accused>,
}

impl Agreement {
    /// Counts the suspicions in the tree.
    ///
    /// Who is suspected by most has no voice, for it may hear nobody: the votes are counted
    /// again without those, until that changes nothing.
    #[must_use]
    pub fn of(view: &View, doubts: &Doubts<'_>) -> Self {
        let names: BTreeSet<NodeName> = view.nodes.keys().cloned().collect();
        let voters: BTreeSet<&NodeName> =
            view.nodes.iter().filter(|(_, node)| observes(node)).map(|(name, _)| name).collect();
        let suspected = view.nodes.iter().filter(|(_, node)| has_suspicion(node));
        let suspected: Vec<(&NodeName, &Node, BTreeSet<NodeName>)> =
            suspected.map(|(name, node)| (name, &**node, observers(name, &names))).collect();
        let mut agreement = Self::default();
        // Each round silences more or fewer voices; two nodes could silence each other in turns.
        for _ in 0..4 {
            let before = agreement.accused;
            let votes = suspected.iter().filter_map(|(name, node, observers)| {
                let heard =
                    |voter: &&NodeName| voters.contains(voter) && !before.contains_key(*voter);
                let voices = observers.iter().filter(heard);
                let (by, not): (BTreeSet<&NodeName>, BTreeSet<&NodeName>) =
                    voices.partition(|voter| accuses(node, voter) && doubts.believe(voter, name));
                let by: BTreeSet<NodeName> = by.into_iter().cloned().collect();
                (by.len() > not.len()).then(|| ((*name).clone(), Accused { by }))
            });
            agreement = Self { accused: votes.collect() };
            if agreement.accused == before {
                break;
            }
        }
        agreement
    }

    /// Whether most suspect it.
    #[must_use]
    pub fn is_accused(&self, node: &NodeName) -> bool {
        self.accused.contains_key(node)
    }

    /// Who suspects it, if most do.
    #[must_use]
    pub fn accused(&self, node: &NodeName) -> Option<&Accused> {
        self.accused.get(node)
    }
}

/// Whether a node has a voice: it serves, and takes part in the mesh. One that comes up hears the
/// others, and may say so as soon as it has a session: until then it accuses nobody.
fn observes(node: &Node) -> bool {
    matches!(node.daemon_state.copied(), Some(DaemonState::Run | DaemonState::Init))
        && answers_probes(node)
}

/// Whether a node takes part in the mesh.
pub(super) fn answers_probes(node: &Node) -> bool {
    node.liveness.presence.get().is_some_and(|presence| !presence.mesh.is_empty())
}

fn has_suspicion(node: &Node) -> bool {
    node.liveness.suspicions.values().any(|suspected| suspected.by.get().is_some())
}

/// Whether `voter` suspects the node.
pub(super) fn accuses(node: &Node, voter: &NodeName) -> bool {
    node.liveness.suspicions.get(voter).is_some_and(|suspected| suspected.by.get().is_some())
}

/// The coordinators that can act, in the order in which they do: the primary first.
pub(super) fn bench<'a>(view: &'a View, agreement: &Agreement) -> Vec<&'a NodeName> {
    let primary = view.cluster.primary_node.get().and_then(Option::as_ref);
    let able = view.nodes.iter().filter(|(name, node)| {
        node.mode.copied() == Some(DaemonMode::Coordinator)
            && node.daemon_state.copied() == Some(DaemonState::Run)
            && !agreement.is_accused(name)
    });
    let mut bench: Vec<&NodeName> = able.map(|(name, _)| name).collect();
    bench.sort_by_key(|name| (primary != Some(*name), *name));
    bench
}
