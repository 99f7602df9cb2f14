//! What is known of a node's death, and how far it reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_common::model::{Evidence, Fence, FenceLease, FenceOrder, Node, Vm};
use pvc_common::state::{EvidenceKind, LeaseKind, Verdict};
use pvc_common::zk::{Op, key};

use super::{AfterFence, Policy, Situation, StorageFence, agree};
use crate::lease;

/// What gathering evidence has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The fence it was gathered for.
    pub fence: pvc_common::id::FenceId,
    /// What it says.
    pub verdict: Verdict,
    /// For people.
    pub detail: String,
    /// When, by this node's monotonic clock.
    pub at: Instant,
    /// When, in UNIX milliseconds, for people.
    pub at_ms: u64,
}

/// Evidence that is being gathered, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// It is being gathered.
    Running,
    /// This was found.
    Found(Found),
}

/// The evidence of all fences that this coordinator gathers.
pub type Jobs = BTreeMap<(NodeName, EvidenceKind), Job>;

/// How long after a failure a proof is tried again.
pub(super) const RETRY: Duration = Duration::from_secs(10);

/// What evidence proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// That nothing at all runs on the node any more.
    off: bool,
    /// That nothing of the boot that it told of runs any more.
    told: bool,
    /// That nothing of this boot of the node can write to Ceph any more.
    storage: bool,
    /// That the host has booted again since it told of a boot.
    reboot: bool,
    fence: StorageFence,
}

impl Coverage {
    pub(super) fn of(fence: &Fence, policy: &Policy) -> Self {
        let proved = |kind| fence.proved_by(kind);
        let reboot = proved(EvidenceKind::Reboot);
        Self {
            off: proved(EvidenceKind::Ipmi) || proved(EvidenceKind::Operator),
            told: reboot || proved(EvidenceKind::Watchdog),
            storage: proved(EvidenceKind::Storage),
            reboot,
            fence: policy.storage,
        }
    }

    /// Whether the node counts as dead: others may take its place as primary.
    #[must_use]
    pub const fn node(self) -> bool {
        let full = self.off || self.told;
        match self.fence {
            StorageFence::Off => full,
            StorageFence::Suffices => full || self.storage,
            StorageFence::Required => full && (self.storage || self.reboot),
        }
    }

    /// Whether a VM that the node said itself to be running may be started elsewhere.
    ///
    /// A VM on RBD is kept from its volumes first, whatever else is proved: a BMC can lie, the
    /// blocklist cannot be written through.
    #[must_use]
    pub fn vm(self, vm: &Vm) -> bool {
        self.covers(vm, self.off || self.told, self.reboot)
    }

    /// Whether a VM that came to the node by a migration may be started elsewhere.
    ///
    /// It may run in a later boot than the node told of, for libvirt takes it in without its
    /// daemon: neither the end of the former boot nor a lease of that says anything of it.
    #[must_use]
    pub fn arrived(self, vm: &Vm) -> bool {
        self.covers(vm, self.off, false)
    }

    /// Whether the host has booted again, so that its daemon sees for itself what has come to it.
    pub(super) const fn sees_for_itself(self) -> bool {
        self.reboot
    }

    fn covers(self, vm: &Vm, full: bool, reboot: bool) -> bool {
        let on_rbd = vm.resources.is_some_and(|needs| needs.rbd_only);
        match self.fence {
            StorageFence::Off => full,
            StorageFence::Suffices if on_rbd => self.storage || reboot,
            StorageFence::Suffices => full,
            StorageFence::Required => full && (self.storage || reboot),
        }
    }
}

/// The record with everything that is known by now.
pub(super) fn known(s: &Situation<'_>, name: &NodeName, node: &Node, fence: &Fence) -> Fence {
    let mut known = fence.clone();
    for kind in [EvidenceKind::Ipmi, EvidenceKind::Storage] {
        if let Some(Job::Found(found)) = s.jobs.get(&(name.clone(), kind))
            && found.fence == fence.id
            && !fence.proved_by(kind)
            && (found.verdict == Verdict::Failed
                || kind == EvidenceKind::Storage
                || silent(s, name, node))
        {
            known.record(Evidence {
                kind,
                verdict: found.verdict,
                detail: found.detail.clone(),
                at_ms: found.at_ms,
            });
        }
    }
    let mut prove = |kind, detail: String| {
        if !fence.proved_by(kind) {
            let at_ms = s.wall_ms;
            known.record(Evidence { kind, verdict: Verdict::Proved, detail, at_ms });
        }
    };
    if lease_end(s, name, node).is_some_and(|at| at <= s.now) && silent(s, name, node) {
        prove(EvidenceKind::Watchdog, "its lease has run out".to_owned());
    }
    if node.liveness.order.get() == Some(&FenceOrder::ConfirmDead) {
        prove(EvidenceKind::Operator, "confirmed by a person".to_owned());
    }
    if let Some(presence) = node.liveness.presence.get()
        && !fence.boot.is_empty()
        && presence.boot != fence.boot
    {
        prove(EvidenceKind::Reboot, "its host has booted again".to_owned());
    }
    known
}

/// Whether nobody hears the node: without that no proof is believed.
pub(super) fn silent(s: &Situation<'_>, name: &NodeName, node: &Node) -> bool {
    if s.policy.mesh && agree::answers_probes(node) {
        s.sight.agreed_since(name).is_some()
    } else {
        let changed = s.sight.keepalive_changed(name);
        changed.is_some_and(|at| s.now.saturating_duration_since(at) >= QUIET)
    }
}

/// A keepalive that did not change for so long says that the node may be gone, where there is
/// nothing else to go by.
const QUIET: Duration = Duration::from_secs(2);

/// When the node's lease can be relied upon to have run out; `None` if it made none that
/// counts, or too few of its voters accuse it.
///
/// A node that has just armed its device, and promised, lives on until that fires although its
/// voters have not heard it for long: all of them may be dead.
pub(super) fn lease_end(s: &Situation<'_>, name: &NodeName, node: &Node) -> Option<Instant> {
    let lease = node.liveness.lease.get()?.as_ref().filter(|lease| counts(s.policy, lease))?;
    let last = if lease.voters.is_empty() {
        s.sight.keepalive_changed(name)?
    } else {
        last_heard(s, name, &lease.voters)?
    };
    Some(last.max(s.sight.lease_seen(name)?) + lease::safe_after(lease))
}

/// That what the end of a lease was reckoned from still stands: a promise that is withdrawn, or a
/// node that is heard, in this very moment refuses the proof. Nothing if no lease is new proof.
pub(super) fn lease_stands(name: &NodeName, node: &Node, fence: &Fence, known: &Fence) -> Vec<Op> {
    let is_new =
        known.proved_by(EvidenceKind::Watchdog) && !fence.proved_by(EvidenceKind::Watchdog);
    let lease = node.liveness.lease.get().and_then(Option::as_ref).filter(|_| is_new);
    let Some(lease) = lease else { return vec![] };
    let said = |voter| {
        let suspected = node.liveness.suspicions.get(voter)?;
        key::node_suspicion(name, voter).check(&suspected.by)
    };
    let heard: Vec<Op> = if lease.voters.is_empty() {
        key::node_keepalive(name).check(&node.keepalive).into_iter().collect()
    } else {
        lease.voters.iter().filter_map(said).collect()
    };
    key::node_lease(name).check(&node.liveness.lease).into_iter().chain(heard).collect()
}

/// A promise that the node's daemon has to keep is believed where administrators say so.
const fn counts(policy: &Policy, lease: &FenceLease) -> bool {
    match lease.kind {
        LeaseKind::Device => policy.watchdog,
        LeaseKind::Suicide => matches!(policy.failed, AfterFence::Migrate),
    }
}

/// The latest moment at which those voters that accuse the node can have heard it, if they are
/// more than half of all.
fn last_heard(s: &Situation<'_>, name: &NodeName, voters: &BTreeSet<NodeName>) -> Option<Instant> {
    let accusers = voters.iter().filter_map(|voter| s.sight.heard_at_most(name, voter));
    let mut moments: Vec<Instant> = accusers.collect();
    if moments.len() * 2 <= voters.len() {
        return None;
    }
    // Any majority of them will do: the one that has waited longest.
    moments.sort_unstable();
    moments.get(voters.len() / 2).copied()
}
