//! Tasks: long work that a node does on behalf of a request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{NodeName, VmUuid};
use crate::state::TaskPhase;
use crate::zk::Seen;

/// What a task does, with its arguments. As JSON it has the names that clients know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "kwargs")]
pub enum Work {
    /// Takes every lock from the volumes of a VM that runs nowhere.
    #[serde(rename = "vm.flush_locks")]
    FlushLocks {
        /// The VM.
        #[serde(with = "text")]
        domain: VmUuid,
    },
    /// Gives a running VM a device.
    #[serde(rename = "vm.device_attach")]
    AttachDevice {
        /// The VM.
        #[serde(with = "text")]
        domain: VmUuid,
        /// The device, as libvirt describes it.
        xml: String,
    },
    /// Takes a device from a running VM.
    #[serde(rename = "vm.device_detach")]
    DetachDevice {
        /// The VM.
        #[serde(with = "text")]
        domain: VmUuid,
        /// The device, as libvirt describes it.
        xml: String,
    },
}

/// What a task changes: two tasks of one subject are not done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A VM.
    Vm(VmUuid),
}

impl Work {
    /// What it changes.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        match self {
            Self::FlushLocks { domain }
            | Self::AttachDevice { domain, .. }
            | Self::DetachDevice { domain, .. } => Subject::Vm(*domain),
        }
    }

    /// What clients call it, such as `vm.flush_locks`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::FlushLocks { .. } => "vm.flush_locks",
            Self::AttachDevice { .. } => "vm.device_attach",
            Self::DetachDevice { .. } => "vm.device_detach",
        }
    }
}

/// Who does a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOn {
    /// This node, whatever happens to it meanwhile.
    Node(NodeName),
    /// Whoever is primary.
    Primary,
}

/// A task as it was ordered. It does not change.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskOrder {
    /// What shall be done.
    pub work: Work,
    /// By whom.
    pub run_on: RunOn,
    /// When it was ordered, in UNIX milliseconds: for people, and to take the older one first.
    pub ordered_ms: u64,
}

/// How far a task is, as the node that does it tells.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskProgress {
    /// Whether it is over.
    pub phase: TaskPhase,
    /// Who does it, or did it.
    pub by: NodeName,
    /// Steps done.
    pub current: u32,
    /// Steps in all.
    pub total: u32,
    /// What it is doing, what came of it, or why it failed.
    pub status: String,
    /// What came of it, for programs.
    pub result: Option<Value>,
}

/// A task as the tree holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    /// What was ordered.
    pub order: Seen<TaskOrder>,
    /// How far it is; absent until somebody begins it.
    pub progress: Seen<TaskProgress>,
}

impl Task {
    /// Whether nothing more happens.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.progress.get().is_some_and(|progress| progress.phase.is_over())
    }
}

/// Identifiers within JSON, as their text.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(id: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}
