//! What a task may do next.

use std::time::Duration;

use pvc_common::id::{DevicePath, Fsid, LvName, NodeName, OsdId};
use pvc_common::observed::{FoundOsd, NewOsds};
use pvc_common::unit::{Bytes, Weight};
use pvc_common::zk::Op;

use super::Memory;

/// One act. Each may be repeated without harm, whatever came of it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Keep this with the task. The task goes on only when that is done.
    Remember(Memory),
    /// Have the cluster move its data away from an OSD.
    TakeOut(OsdId),
    /// Have the cluster keep data on an OSD.
    PutIn(OsdId),
    /// End an OSD's program: the unit `ceph-osd@N`.
    Stop(OsdId),
    /// Have the cluster count an OSD as down whose program has ended.
    MarkDown(OsdId),
    /// Destroy an OSD in the cluster, except for its number.
    Destroy {
        /// Which.
        osd: OsdId,
        /// Although data is at risk.
        force: bool,
    },
    /// Remove an OSD from the cluster, with its number.
    Purge {
        /// Which.
        osd: OsdId,
        /// Although data is at risk.
        force: bool,
    },
    /// Count an OSD to a machine, with a share of the data.
    Place {
        /// Which.
        osd: OsdId,
        /// The machine.
        host: NodeName,
        /// The share.
        weight: Weight,
    },
    /// Destroy everything on a disk.
    Zap(DevicePath),
    /// Remove a logical volume.
    RemoveVolume(LvName),
    /// Make OSDs on a blank disk.
    Prepare(NewOsds),
    /// Move the database of an OSD to a volume.
    AddDb {
        /// Which.
        osd: FoundOsd,
        /// The volume, to be made.
        volume: LvName,
        /// Its size.
        size: Bytes,
    },
    /// Make an OSD ready and start its program: the unit `ceph-osd@N`.
    Activate(FoundOsd),
    /// Make a partition for LVM of a blank disk.
    Partition(DevicePath),
    /// Make the volume group for databases.
    CreateDbGroup {
        /// The partition.
        partition: DevicePath,
    },
    /// Write to the tree, in one transaction.
    Record {
        /// Which OSD.
        osd: OsdId,
        /// What to write.
        ops: Vec<Op>,
    },
    /// Delete an OSD from the tree, with everything below, unless it has another identity.
    Forget {
        /// Which OSD.
        osd: OsdId,
        /// Its identity.
        fsid: Fsid,
        /// What must hold; to be part of the transaction.
        guard: Vec<Op>,
    },
}

/// A step, with how far that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What to do.
    pub step: Step,
    /// For people.
    pub text: String,
    /// Which stage this is, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// Whether the task goes on without, if it fails.
    pub optional: bool,
}

/// Something to wait for, with how far that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For people.
    pub text: String,
    /// Which stage this is, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// How long it is waited for.
    pub limit: Duration,
    /// What it means that it did not come.
    pub in_vain: String,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Do this, then look again.
    Do(Stage),
    /// Look again in a moment.
    Wait(Waiting),
    /// It is done; what was done, for people.
    Done(String),
    /// It cannot be done, or not to the end; why, for people.
    Fail(String),
}

/// How far a task is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    pub(super) number: u32,
    pub(super) of: u32,
}

impl Counter {
    pub(super) const fn at(number: u32, of: u32) -> Self {
        Self { number, of }
    }

    pub(super) fn act(self, step: Step, text: impl Into<String>) -> Next {
        let Self { number, of } = self;
        Next::Do(Stage { step, text: text.into(), number, of, optional: false })
    }

    pub(super) fn wait(
        self,
        limit: Duration,
        text: impl Into<String>,
        in_vain: impl Into<String>,
    ) -> Next {
        let Self { number, of } = self;
        Next::Wait(Waiting { text: text.into(), number, of, limit, in_vain: in_vain.into() })
    }
}
