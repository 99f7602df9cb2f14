//! The death of a node: what was seen of it, what proves it, and what became of its VMs.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::id::{FenceId, NodeName, VmUuid};
use crate::state::{EvidenceKind, FencePhase, LeaseKind, Verdict};
use crate::zk::Seen;

/// What a running daemon tells of itself and its host, for the time when it no longer can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Names this boot of the host: another text means that nothing of the former boot runs.
    pub boot: String,
    /// Where it answers probes, one address for each network; empty without the mesh.
    pub mesh: Vec<SocketAddr>,
    /// The addresses from which its storage clients talk: never floating ones.
    pub addresses: Vec<IpAddr>,
    /// The networks that it is in itself, with its address in each; empty if its daemon is older.
    pub networks: Vec<IpNet>,
    /// Whether it runs no VMs, and none must be sent there.
    pub without_vms: bool,
    /// The largest packets of managed networks that it carries; `None` if it carries none, or its
    /// daemon is older.
    pub managed_mtu: Option<u32>,
    /// The largest packets of bridged networks that it carries.
    pub bridged_mtu: Option<u32>,
}

/// A promise of a node: unless it hears most of `voters`, it ends within `ms`.
///
/// Counted from the last moment at which more than half of the voters received a probe of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceLease {
    /// Who keeps the promise.
    pub kind: LeaseKind,
    /// Milliseconds.
    pub ms: u64,
    /// By whom it wants to be heard; empty: by ZooKeeper, which answers its keepalives.
    pub voters: BTreeSet<NodeName>,
}

/// What one observer holds against a node; vanishes with the observer's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// Tells one suspicion of an observer from its next.
    pub number: u64,
    /// For how long the node had been silent when this was written, by the observer's clock.
    pub silent_ms: u64,
}

/// Whether the node's own BMC answers it, so that others could switch it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fenceable {
    /// It does.
    pub ok: bool,
    /// What was found, for people.
    pub message: String,
}

/// What a person ordered about a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FenceOrder {
    /// Fence it, whoever hears it.
    Fence,
    /// The person has seen to it that it is off: that is proof.
    ConfirmDead,
}

/// What is known for or against a node's death.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where it comes from.
    pub kind: EvidenceKind,
    /// What it says.
    pub verdict: Verdict,
    /// For people.
    pub detail: String,
    /// When, in UNIX milliseconds by the clock of the coordinator that found it; for people.
    pub at_ms: u64,
}

/// A VM that was given another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub vm: VmUuid,
    /// Where it is now.
    pub to: NodeName,
}

/// The fence of one node, from its condemnation to the last of its VMs.
///
/// All times are UNIX milliseconds by the clock of the coordinator at work; they are for people
/// and measurements, and nothing is decided by them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Which fence it is.
    pub id: FenceId,
    /// The node that is dead, or said to be.
    pub node: NodeName,
    /// The coordinator that works on it; whoever replaces it here does from then on.
    pub by: NodeName,
    /// How far it is.
    pub phase: FencePhase,
    /// Why the node was condemned, for people.
    pub why: String,
    /// The boot of the node that was condemned; empty if it never told.
    pub boot: String,
    /// Whether its BMC was told to switch it off: from then on nothing is taken back.
    pub power_cut: bool,
    /// When it was first suspected by most.
    pub suspected_ms: u64,
    /// When it was condemned.
    pub condemned_ms: u64,
    /// When its death was proved.
    pub proved_ms: Option<u64>,
    /// When the last of its VMs was settled, or the fence was withdrawn.
    pub finished_ms: Option<u64>,
    /// What is known, one of a kind.
    pub evidence: Vec<Evidence>,
    /// VMs that were given another node.
    pub moved: Vec<Moved>,
    /// VMs that no node could take.
    pub waiting: Vec<VmUuid>,
}

/// What a fence's mark begins with.
const MARK: &str = "fence ";

impl Fence {
    /// What is known of this kind.
    #[must_use]
    pub fn evidence(&self, kind: EvidenceKind) -> Option<&Evidence> {
        self.evidence.iter().find(|evidence| evidence.kind == kind)
    }

    /// Whether evidence of this kind proves its part.
    #[must_use]
    pub fn proved_by(&self, kind: EvidenceKind) -> bool {
        self.evidence(kind).is_some_and(|evidence| evidence.verdict == Verdict::Proved)
    }

    /// What a node's `shut_out` says while it is this fence that shuts the node out.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{MARK}{}", self.id)
    }

    /// The fence that a [`Fence::mark`] names; `None` if a node is shut out by none.
    #[must_use]
    pub fn shuts_out(mark: &str) -> Option<FenceId> {
        mark.strip_prefix(MARK)?.parse().ok()
    }

    /// Records evidence over what was known of its kind.
    pub fn record(&mut self, evidence: Evidence) {
        match self.evidence.iter_mut().find(|known| known.kind == evidence.kind) {
            Some(known) => *known = evidence,
            None => self.evidence.push(evidence),
        }
    }
}

/// A fence that is over, as the history keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastFence {
    /// All of it.
    pub fence: Seen<Fence>,
}

/// What of a node's liveness is in the tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Liveness {
    /// What it tells of its host.
    pub presence: Seen<Presence>,
    /// Its promise; `None` while it makes none.
    pub lease: Seen<Option<FenceLease>>,
    /// Whether its BMC answers.
    pub fenceable: Seen<Fenceable>,
    /// Who suspects it.
    pub suspicions: std::collections::BTreeMap<NodeName, Suspected>,
    /// The fence under way.
    pub fence: Seen<Fence>,
    /// What a person ordered.
    pub order: Seen<FenceOrder>,
    /// Why its storage clients may be shut out.
    pub shut_out: Seen<String>,
}

/// A suspicion with its version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suspected {
    /// What the observer says.
    pub by: Seen<Suspicion>,
}
