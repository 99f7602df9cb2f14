//! Guards that can be taken away, to see whether the checks notice.
//!
//! Nothing here is in the product: it changes what a plan sees or what becomes of its writes.

use std::sync::Arc;

use pvc_common::model::{FenceLease, Suspected, Suspicion};
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, Version};

use crate::world::World;

/// A guard of the guarantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// More than half of its observers suspect a node before it is condemned.
    Agreement,
    /// Evidence that failed proves nothing.
    Proof,
    /// Only the claim's holder has a QEMU.
    Claim,
    /// A write states the version that it was decided on.
    Version,
    /// A lease is relied upon only when it has run out.
    Lease,
    /// The blocklist is in force before a VM starts elsewhere.
    Blocklist,
}

impl Guard {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Agreement, Self::Proof, Self::Claim, Self::Version, Self::Lease, Self::Blocklist];

    /// Its name.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Proof => "proof",
            Self::Claim => "claim",
            Self::Version => "version",
            Self::Lease => "lease",
            Self::Blocklist => "blocklist",
        }
    }
}

impl World {
    /// What becomes of the writes of a plan on their way.
    pub(crate) fn tamper(&self, mut ops: Vec<Op>) -> Vec<Op> {
        match self.without {
            Some(Guard::Agreement) => {
                let accuses =
                    |op: &Op| matches!(op, Op::Check { .. }) && op.path().contains("/suspicions/");
                ops.retain(|op| !accuses(op));
            }
            Some(Guard::Claim) => {
                // Who has it does not matter, so nobody is refused it.
                let claims = |op: &Op| op.path().ends_with("/claim");
                ops.retain(|op| !claims(op));
            }
            Some(Guard::Proof | Guard::Version | Guard::Lease | Guard::Blocklist) | None => {}
        }
        ops
    }

    /// The writes with the versions that are there, where versions do not matter.
    pub(crate) fn forgive(&self, ops: &[Op]) -> Vec<Op> {
        if self.without != Some(Guard::Version) {
            return ops.to_vec();
        }
        let forgiven = ops.iter().filter_map(|op| {
            let there = self.tree.get(op.path()).map(|(_, version)| version);
            match (op.clone(), there) {
                (Op::Check { .. }, _) | (Op::Delete { .. }, None) => None,
                (Op::Set { path, data, .. } | Op::Create { path, data }, Some(version)) => {
                    Some(Op::Set { path, data, version })
                }
                (Op::Set { path, data, .. } | Op::Create { path, data }, None) => {
                    Some(Op::Create { path, data })
                }
                (Op::Delete { path, .. }, Some(version)) => Some(Op::Delete { path, version }),
                (Op::CreateEphemeral { .. }, Some(_)) => None,
                (op @ Op::CreateEphemeral { .. }, None) => Some(op),
            }
        });
        forgiven.collect()
    }

    /// What those see who decide about dead nodes.
    pub(crate) fn doctored(&self, view: &Arc<View>) -> Arc<View> {
        match self.without {
            Some(Guard::Agreement) => self.with_echoes(view),
            Some(Guard::Lease) => without_leases(view),
            Some(Guard::Proof | Guard::Claim | Guard::Version | Guard::Blocklist) | None => {
                Arc::clone(view)
            }
        }
    }

    /// One accuser convinces everybody.
    fn with_echoes(&self, view: &Arc<View>) -> Arc<View> {
        let mut view = View::clone(view);
        let accused: Vec<_> = view
            .nodes
            .iter()
            .filter(|(_, node)| !node.liveness.suspicions.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        for name in accused {
            let Some(node) = view.nodes.get_mut(&name) else { continue };
            let node = Arc::make_mut(node);
            for other in self.names.iter().filter(|other| **other != name) {
                node.liveness.suspicions.entry(other.clone()).or_insert_with(|| Suspected {
                    by: Seen::Value {
                        value: Suspicion { number: 0, silent_ms: 1_000 },
                        version: Version(0),
                    },
                });
            }
        }
        Arc::new(view)
    }
}

/// Every lease is over at once.
fn without_leases(view: &Arc<View>) -> Arc<View> {
    let mut view = View::clone(view);
    let names: Vec<_> = view.nodes.keys().cloned().collect();
    for name in names {
        let Some(node) = view.nodes.get_mut(&name) else { continue };
        let Seen::Value { value: Some(lease), version } = node.liveness.lease.clone() else {
            continue;
        };
        let value = Some(FenceLease { ms: 0, ..lease });
        Arc::make_mut(node).liveness.lease = Seen::Value { value, version };
    }
    Arc::new(view)
}
