//! The death of nodes: who hears whom, what proves a node dead, what became of its VMs.
//!
//! None of it is upstream's: its clients do not ask for it, and ignore it where it stands in an
//! object of theirs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The fence of one node, as `GET /fence` lists it.
///
/// All times are UNIX milliseconds by the clock of the coordinator that wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fence {
    /// Which fence it is, such as `hv3-1763695123000`.
    pub id: String,
    /// The node that is dead, or said to be.
    pub node: String,
    /// The coordinator that works on it, or did last.
    pub by: String,
    /// How far it is: `proving`, `recovering`, `finished`, or `withdrawn` because the node was
    /// alive after all.
    pub phase: String,
    /// Why the node was condemned.
    #[serde(default)]
    pub why: String,
    /// The boot of the node that was condemned; empty if it never told.
    #[serde(default)]
    pub boot: String,
    /// Whether its BMC was told to switch it off.
    #[serde(default)]
    pub power_cut: bool,
    /// When it was first suspected by most.
    pub suspected_ms: u64,
    /// When it was condemned.
    pub condemned_ms: u64,
    /// When its death was proved; null until it is.
    #[serde(default)]
    pub proved_ms: Option<u64>,
    /// When the last of its VMs was settled, or the fence was withdrawn; null until then.
    #[serde(default)]
    pub finished_ms: Option<u64>,
    /// What is known for or against its death, one of a kind.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// VMs that were given another node.
    #[serde(default)]
    pub moved: Vec<MovedVm>,
    /// VMs that no node could take.
    #[serde(default)]
    pub waiting: Vec<WaitingVm>,
}

/// What is known for or against a node's death.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Where it comes from: `ipmi`, `storage`, `watchdog`, `operator` or `reboot`.
    pub kind: String,
    /// `proved`, or `failed` while it could not be had.
    pub verdict: String,
    /// What was found.
    #[serde(default)]
    pub detail: String,
    /// When, in UNIX milliseconds by the clock of the coordinator that found it.
    pub at_ms: u64,
}

/// A VM that was given another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedVm {
    /// Its UUID.
    pub vm: String,
    /// Its name now; null if it is gone.
    #[serde(default)]
    pub name: Option<String>,
    /// The node it was given.
    pub to: String,
}

/// A VM that no node could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingVm {
    /// Its UUID.
    pub vm: String,
    /// Its name now; null if it is gone.
    #[serde(default)]
    pub name: Option<String>,
}

/// Whether a node's own BMC answers it, so that others could switch it off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fenceable {
    /// It does.
    pub ok: bool,
    /// What was found.
    #[serde(default)]
    pub message: String,
}

/// A node's promise to end unless most of `voters` hear it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    /// Who keeps it: `device` (a watchdog) or `suicide` (the node's own daemon).
    pub kind: String,
    /// Within how many milliseconds after it was last heard by most.
    pub ms: u64,
    /// By whom it wants to be heard; empty: by ZooKeeper.
    #[serde(default)]
    pub voters: Vec<String>,
}

/// What a node hears of a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Heard {
    /// Whether any network has brought an answer lately.
    pub heard: bool,
    /// What each network brings.
    #[serde(default)]
    pub networks: BTreeMap<String, HeardOn>,
}

/// What a node hears of a peer over one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeardOn {
    /// How long the last answer took, in microseconds; null before the first.
    #[serde(default)]
    pub rtt_us: Option<u64>,
    /// For how long there has been no answer, in milliseconds; null before the first.
    #[serde(default)]
    pub silent_ms: Option<u64>,
}
