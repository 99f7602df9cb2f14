//! Whose word the events of this node's spool are.

use pvc_common::id::NodeName;
use pvc_common::state::CoordinatorState;
use pvc_common::view::View;

/// Whose word the events of this node's spool are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The primary's: what its dnsmasqs say is so.
    Primary,
    /// That of a node which was primary, or never: it counts where nothing newer is known.
    Former,
    /// Nobody knows yet, for the part is being taken up or laid down: events wait until it is.
    Between,
}

impl Standing {
    /// The standing of a node whose gate is open, or not.
    ///
    /// The gate alone says too little: it is still open on a node that does not know yet that another
    /// took its place, and what such a node was told must not be put over what that one wrote.
    pub(super) fn of(open: bool, me: &NodeName, view: &View) -> Self {
        let named = view.cluster.primary_node.get().and_then(Option::as_ref) == Some(me);
        let state = view.nodes.get(me).and_then(|node| node.coordinator_state.copied());
        let holds = matches!(state, Some(CoordinatorState::Takeover | CoordinatorState::Primary));
        match (open, named) {
            (true, true) if holds => Self::Primary,
            (false, false) => Self::Former,
            (true, _) | (false, true) => Self::Between,
        }
    }
}

#[cfg(test)]
mod tests {
    use pvc_common::view::{Builder, Scope};
    use pvc_common::zk::Version;

    use super::*;

    #[test]
    fn a_node_is_primary_if_its_gate_the_cluster_and_itself_say_so() {
        let standing = |open, primary: &str, state: &str| {
            let mut builder = Builder::new(Scope::Decisions);
            let keys = [
                ("/config/primary_node", primary),
                ("/nodes/hv1", "coordinator"),
                ("/nodes/hv1/routerstate", state),
            ];
            for (path, text) in keys {
                builder.set(path, Some((text.as_bytes(), Version(0))));
            }
            Standing::of(open, &"hv1".parse().unwrap(), &builder.snapshot())
        };
        for (open, primary, state, expected) in [
            (true, "hv1", "primary", Standing::Primary),
            (true, "hv1", "takeover", Standing::Primary),
            (true, "hv1", "secondary", Standing::Between),
            (true, "hv1", "relinquish", Standing::Between),
            (true, "hv2", "primary", Standing::Between),
            (true, "none", "primary", Standing::Between),
            (false, "hv1", "primary", Standing::Between),
            (false, "hv2", "primary", Standing::Former),
            (false, "none", "secondary", Standing::Former),
        ] {
            assert_eq!(standing(open, primary, state), expected, "{open} {primary} {state}");
        }
    }
}
