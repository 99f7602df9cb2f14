//! What a plan for one VM may consist of.

use std::fmt;
use std::time::Instant;

use pvc_common::id::NodeName;
use pvc_common::zk::Op;

/// What a transaction is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// Take the VM: create its claim.
    Claim,
    /// Take the VM that already runs here: create its claim.
    Adopt,
    /// Change nothing, but prove that the claim and the wish are as they were seen.
    Confirm,
    /// Give the claim up: the VM runs nowhere.
    Release,
    /// Give the VM to another node, which finds it running or starts it.
    HandOver {
        /// The new holder.
        to: NodeName,
    },
    /// Say that this node knows of the VM that came to it.
    Acknowledge,
    /// Name the target of a live migration in the claim before it begins.
    Depart {
        /// The target.
        to: NodeName,
    },
    /// Take the target out of the claim: the VM stays here for now.
    Stay,
    /// Undo the wish to migrate: the VM stays where it is.
    GiveUp {
        /// Why, for people.
        why: String,
    },
    /// Move the state on: what it asked for is done.
    Settle,
    /// The VM could not be started.
    Fail {
        /// Why, for people.
        why: String,
    },
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim => f.write_str("claim it"),
            Self::Adopt => f.write_str("claim it, for it runs here"),
            Self::Confirm => f.write_str("confirm the claim"),
            Self::Release => f.write_str("release the claim"),
            Self::HandOver { to } => write!(f, "hand it over to {to}"),
            Self::Acknowledge => f.write_str("acknowledge that it was handed over"),
            Self::Depart { to } => write!(f, "announce its departure to {to}"),
            Self::Stay => f.write_str("record that it stays"),
            Self::GiveUp { why } => write!(f, "give up its migration: {why}"),
            Self::Settle => f.write_str("record that it is done"),
            Self::Fail { why } => write!(f, "record that it failed: {why}"),
        }
    }
}

/// One step of a plan. Each is idempotent; the executor stops at the first that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// One atomic transaction on the tree.
    Write {
        /// What it is for.
        goal: Goal,
        /// Its operations.
        ops: Vec<Op>,
    },
    /// Start QEMU with the VM's definition.
    Start,
    /// Ask the guest to shut down.
    AskShutdown,
    /// End QEMU.
    Destroy,
    /// Send the VM to another node, live.
    Migrate {
        /// Where.
        to: NodeName,
    },
    /// Stop sending it.
    AbortMigration,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { goal, .. } => write!(f, "{goal}"),
            Self::Start => f.write_str("start it"),
            Self::AskShutdown => f.write_str("ask the guest to shut down"),
            Self::Destroy => f.write_str("end QEMU"),
            Self::Migrate { to } => write!(f, "migrate it to {to}"),
            Self::AbortMigration => f.write_str("abort its migration"),
        }
    }
}

/// Why a plan is as it is, where its steps do not say so themselves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// Libvirt does not answer, or may be at a start that nobody waits for.
    LibvirtSilent,
    /// The claim's data cannot be understood.
    ClaimUnreadable,
    /// The state's data cannot be understood.
    StateUnreadable,
    /// It runs here although another node holds the claim.
    ClaimedElsewhere,
    /// This node may not start VMs now.
    MayNotStart,
    /// The daemon of the node it shall move to is coming up.
    TargetStarting,
    /// It died soon after its last start; the next one waits.
    BackingOff,
    /// The guest has been asked to shut down and is given time.
    ShuttingDown,
    /// The guest did not shut down in time.
    ShutdownTimedOut,
    /// A migration that this daemon did not begin is still under way.
    StillMigrating,
    /// It is on its way but libvirt has not finished with it here.
    Settling,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LibvirtSilent => "libvirt does not tell whether it is here",
            Self::ClaimUnreadable => "its claim cannot be understood",
            Self::StateUnreadable => "its state cannot be understood",
            Self::ClaimedElsewhere => "it runs here, but another node holds its claim",
            Self::MayNotStart => "this node may not start VMs now",
            Self::TargetStarting => "waiting for the daemon of the node it shall move to",
            Self::BackingOff => "it died soon after its last start; the next one waits",
            Self::ShuttingDown => "waiting for the guest to shut down",
            Self::ShutdownTimedOut => "the guest did not shut down in time",
            Self::StillMigrating => "its migration is still under way",
            Self::Settling => "waiting for libvirt to finish with it",
        })
    }
}

/// What to do for one VM now, and when to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// When to plan again even if nothing changes; `None`: only a change can alter the plan.
    pub wake_at: Option<Instant>,
    /// Why, for people.
    pub notes: Vec<Note>,
}

impl Plan {
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    pub(super) fn note(note: Note) -> Self {
        Self { notes: vec![note], ..Self::default() }
    }

    pub(super) fn steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn with(mut self, note: Note) -> Self {
        self.notes.push(note);
        self
    }

    pub(super) fn waking(mut self, at: Instant) -> Self {
        self.wake_at = Some(at);
        self
    }
}
