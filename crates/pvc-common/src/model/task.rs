//! Tasks: long work that a node does on behalf of a request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{Disk, JobName, NodeName, OsdId, PoolName, VmUuid};
use crate::state::TaskPhase;
use crate::unit::{Ratio, Weight};
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
    /// Makes OSDs of a blank disk.
    #[serde(rename = "osd.add")]
    AddOsds {
        /// The disk.
        #[serde(with = "text")]
        device: Disk,
        /// The share of the data that each takes.
        #[serde(with = "text")]
        weight: Weight,
        /// How large their databases are, if these are to be elsewhere: a part of the OSD, or
        #[serde(with = "text::maybe")]
        ext_db_ratio: Option<Ratio>,
        /// so many bytes.
        ext_db_size: Option<u64>,
        /// How many share the disk.
        split_count: u8,
    },
    /// Gives OSDs another disk: all that share one.
    #[serde(rename = "osd.replace")]
    ReplaceOsds {
        /// One of them.
        #[serde(with = "text")]
        osd_id: OsdId,
        /// The disk that takes the place.
        #[serde(with = "text")]
        new_device: Disk,
        /// The share of the data, if it is to be another.
        #[serde(with = "text::maybe")]
        weight: Option<Weight>,
        /// How large their databases are, if that is to be another: a part of the OSD, or
        #[serde(with = "text::maybe")]
        ext_db_ratio: Option<Ratio>,
        /// so many bytes.
        ext_db_size: Option<u64>,
    },
    /// Finds OSDs again that are on a disk that came (back) to the node.
    #[serde(rename = "osd.refresh")]
    RefreshOsds {
        /// One of them.
        #[serde(with = "text")]
        osd_id: OsdId,
        /// The disk.
        #[serde(with = "text")]
        device: Disk,
    },
    /// Removes an OSD.
    #[serde(rename = "osd.remove")]
    RemoveOsd {
        /// Which.
        #[serde(with = "text")]
        osd_id: OsdId,
        /// Although data is at risk, and although some of it fails.
        force_flag: bool,
        /// Whether its disk stays as it is.
        skip_zap_flag: bool,
    },
    /// Measures how fast a pool is.
    #[serde(rename = "storage.benchmark")]
    Benchmark {
        /// The pool.
        #[serde(with = "text")]
        pool: PoolName,
        /// The name of the run.
        #[serde(with = "text")]
        name: JobName,
        /// How long each test lasts.
        seconds: u32,
    },
    /// Makes a volume group for databases of a blank disk.
    #[serde(rename = "osd.add_db_vg")]
    AddDbGroup {
        /// The disk.
        #[serde(with = "text")]
        device: Disk,
    },
}

/// What a task changes: two tasks of one subject are not done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A VM.
    Vm(VmUuid),
    /// The OSDs and disks of the node.
    Disks,
    /// The speed of the storage: two measurements would measure each other.
    Speed,
}

impl Work {
    /// What it changes.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        match self {
            Self::FlushLocks { domain }
            | Self::AttachDevice { domain, .. }
            | Self::DetachDevice { domain, .. } => Subject::Vm(*domain),
            Self::Benchmark { .. } => Subject::Speed,
            Self::AddOsds { .. }
            | Self::ReplaceOsds { .. }
            | Self::RefreshOsds { .. }
            | Self::RemoveOsd { .. }
            | Self::AddDbGroup { .. } => Subject::Disks,
        }
    }

    /// What clients call it, such as `vm.flush_locks`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::FlushLocks { .. } => "vm.flush_locks",
            Self::AttachDevice { .. } => "vm.device_attach",
            Self::DetachDevice { .. } => "vm.device_detach",
            Self::AddOsds { .. } => "osd.add",
            Self::ReplaceOsds { .. } => "osd.replace",
            Self::RefreshOsds { .. } => "osd.refresh",
            Self::RemoveOsd { .. } => "osd.remove",
            Self::AddDbGroup { .. } => "osd.add_db_vg",
            Self::Benchmark { .. } => "storage.benchmark",
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
    /// What whoever goes on with it has to know.
    pub memory: Option<String>,
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

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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
    /// As above, of what may be missing.
    pub(super) mod maybe {
        use super::{Deserialize, Deserializer, Display, FromStr, Serialize, Serializer, de};

        pub(in super::super) fn serialize<T: Display, S: Serializer>(
            id: &Option<T>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            id.as_ref().map(ToString::to_string).serialize(to)
        }

        pub(in super::super) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
        where
            T: FromStr<Err: Display>,
            D: Deserializer<'de>,
        {
            let text = Option::<String>::deserialize(from)?;
            text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
        }
    }
}
