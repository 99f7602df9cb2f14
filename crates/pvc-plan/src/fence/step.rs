//! What a plan about dead nodes may consist of.

use std::fmt;
use std::time::Instant;

use pvc_common::id::{FenceId, NodeName, VmUuid};
use pvc_common::state::{EvidenceKind, OsdLoss, Verdict, Word};
use pvc_common::zk::Op;

/// What a transaction is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Declare the node dead and begin its fence.
    Condemn {
        /// Why, for people.
        why: String,
    },
    /// Go on with the fence of an author who cannot.
    TakeOver {
        /// Who had begun it.
        from: NodeName,
    },
    /// Record evidence that does not decide.
    Record {
        /// Which kinds, and what they say.
        found: Vec<(EvidenceKind, Verdict)>,
    },
    /// Declare its death proved.
    Prove {
        /// By which kinds of evidence.
        by: Vec<EvidenceKind>,
    },
    /// Give its VMs other nodes, or let them go.
    Settle {
        /// VMs that are started elsewhere.
        moved: Vec<(VmUuid, NodeName)>,
        /// VMs that no node can take.
        displaced: Vec<VmUuid>,
        /// VMs that should not run anyway.
        released: Vec<VmUuid>,
    },
    /// End its fence.
    Finish,
    /// Take its fence back: it is alive.
    Withdraw,
    /// Start a VM on a node that can take it now.
    Place {
        /// Which.
        vm: VmUuid,
        /// Where.
        to: NodeName,
    },
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condemn { why } => write!(f, "declare it dead: {why}"),
            Self::TakeOver { from } => write!(f, "go on with the fence that {from} began"),
            Self::Record { found } => {
                f.write_str("record evidence:")?;
                found.iter().try_for_each(|(kind, verdict)| {
                    write!(f, " {} {}", kind.text(), verdict.text())
                })
            }
            Self::Prove { by } => {
                f.write_str("record that its death is proved by")?;
                by.iter().try_for_each(|kind| write!(f, " {}", kind.text()))
            }
            Self::Settle { moved, displaced, released } => write!(
                f,
                "settle its VMs: {} get another node, {} wait for one, {} are let go",
                moved.len(),
                displaced.len(),
                released.len()
            ),
            Self::Finish => f.write_str("end its fence"),
            Self::Withdraw => f.write_str("withdraw its fence: it is alive"),
            Self::Place { vm, to } => write!(f, "start the displaced VM {vm} on {to}"),
        }
    }
}

/// One step of a plan. Steps are independent: one that fails does not stop the others, except
/// that the writes of one node's fence follow each other in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One atomic transaction on the tree.
    Write {
        /// The node it is about.
        node: NodeName,
        /// What it is for.
        goal: Goal,
        /// Its operations.
        ops: Vec<Op>,
    },
    /// Begin to gather evidence.
    Gather {
        /// Against whom.
        node: NodeName,
        /// Of which kind: by BMC or by storage; everything else is seen in the tree.
        kind: EvidenceKind,
    },
    /// Have its OSDs counted as lost. What comes of it is not waited for.
    MarkDown {
        /// Whose.
        node: NodeName,
        /// By which fence.
        fence: FenceId,
        /// How they are lost.
        loss: OsdLoss,
    },
    /// Let its BMC switch the node on.
    PowerOn {
        /// Which.
        node: NodeName,
    },
}

/// Why a plan is as it is, where its steps do not say so themselves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// Most suspect it, but the cluster is in maintenance.
    Maintenance {
        /// The node that is spared.
        node: NodeName,
    },
    /// Half of the cluster or more looks dead: then it is this side that is cut off.
    TooManySilent {
        /// How many look dead.
        silent: usize,
        /// Of how many.
        of: usize,
    },
    /// So many nodes were fenced lately that something else must be wrong.
    Storm {
        /// The node that is spared for now.
        node: NodeName,
        /// How many may begin.
        cap: usize,
    },
    /// Every proof failed so far; they are tried again.
    NoProof {
        /// The node that stays condemned.
        node: NodeName,
    },
    /// Its lease has not run out yet.
    LeaseRuns {
        /// Whose.
        node: NodeName,
    },
    /// A proof is not accepted, for the node is heard.
    Contradicted {
        /// Who is heard.
        node: NodeName,
    },
    /// What is proved does not cover these many VMs; better evidence is being gathered.
    Uncovered {
        /// Whose.
        node: NodeName,
        /// How many.
        vms: usize,
    },
    /// VMs on their way from or to it wait for their other node.
    Entangled {
        /// Whose.
        node: NodeName,
        /// How many.
        vms: usize,
    },
    /// A VM's claim cannot be understood, so nobody can take it.
    ClaimUnreadable {
        /// Which.
        vm: VmUuid,
    },
    /// The record of its fence cannot be understood.
    RecordUnreadable {
        /// Whose.
        node: NodeName,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maintenance { node } => {
                write!(f, "{node} is silent, and not fenced in maintenance")
            }
            Self::TooManySilent { silent, of } => {
                write!(f, "{silent} of {of} nodes are silent: nobody is fenced")
            }
            Self::Storm { node, cap } => {
                write!(
                    f,
                    "{node} is silent, but {cap} others were fenced lately: it is not fenced yet"
                )
            }
            Self::NoProof { node } => write!(f, "the death of {node} cannot be proved yet"),
            Self::LeaseRuns { node } => write!(f, "waiting for the lease of {node} to run out"),
            Self::Contradicted { node } => {
                write!(f, "{node} is said to be off, but is heard: not believed")
            }
            Self::Uncovered { node, vms } => {
                write!(f, "{vms} VMs of {node} wait for better proof of its death")
            }
            Self::Entangled { node, vms } => {
                write!(f, "{vms} VMs that were moving from or to {node} wait for their other node")
            }
            Self::ClaimUnreadable { vm } => {
                write!(f, "the claim of VM {vm} cannot be understood: it is left alone")
            }
            Self::RecordUnreadable { node } => {
                write!(f, "the record of the fence of {node} cannot be understood")
            }
        }
    }
}

/// What to do now about dead nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do.
    pub steps: Vec<Step>,
    /// Why, where that is not obvious.
    pub notes: Vec<Note>,
    /// When to look again although nothing changes.
    pub wake_at: Option<Instant>,
}

impl Plan {
    pub(super) fn wake(&mut self, at: Option<Instant>) {
        self.wake_at = self.wake_at.into_iter().chain(at).min();
    }

    pub(super) fn write(&mut self, node: &NodeName, goal: Goal, ops: Vec<Op>) {
        self.steps.push(Step::Write { node: node.clone(), goal, ops });
    }
}
