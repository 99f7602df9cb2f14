//! OSDs are added to a node, replaced, found again and removed.
//!
//! A task goes through stages, one step after the other. Nothing but what is seen, and a memory of
//! one line, says how far it came:
//!
//! ```text
//!  add:     blank ─▶ (remember) ─▶ made ─▶ database ─▶ placed ─▶ runs ─▶ recorded ─▶ up ─▶ told of
//!  replace: in ─▶ (remember) ─▶ out ─▶ safe ─▶ ended ─▶ destroyed ─▶ wiped ─▶ made ... up
//!  remove:  in ─▶ (remember) ─▶ out ─▶ safe ─▶ ended ─▶ destroyed ─▶ wiped ─▶ forgotten ─▶ purged
//! ```
//!
//! A daemon that was killed between any two steps, or in the midst of one, looks anew and goes on. So
//! every step may be repeated, and what was begun and is not whole is undone and begun again.
//!
//! Invariant: a disk is only wiped if all that is on it are OSDs that never served, or were destroyed
//! by this task, or if it was blank when the task began and holds what making OSDs leaves. An OSD
//! that the cluster relies on is only ended once Ceph says that no data is at risk, or by force.

mod add;
mod course;
mod group;
mod making;
mod memory;
mod record;
mod refresh;
mod remove;
mod replace;
mod step;
mod wake;

#[cfg(test)]
mod tests;

use pvc_common::id::{DevicePath, LvName, NodeName, OsdId};
use pvc_common::model::Osd;
use pvc_common::observed::{BlockDevice, FoundOsd, Machine, OsdMap, Safety};
use pvc_common::unit::{Bytes, Ratio, Weight};
use pvc_common::view::Shared;

pub use course::{Course, Failure};
pub use memory::{BadMemory, BlankDisk, Memory, Replaced};
pub use step::{Next, Stage, Step, Waiting};
pub use wake::{Own, asleep};

/// The volume group for databases: one on a node.
pub const DB_GROUP: &str = "osd-db";

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// OSDs on a blank disk.
    Add(Add),
    /// OSDs that keep their numbers and get another disk.
    Replace(Replace),
    /// OSDs of this node that were made before, on a disk that came (back) to it.
    Refresh(Refresh),
    /// One OSD less.
    Remove(Remove),
    /// A volume group for databases on a blank disk.
    AddDbGroup {
        /// The disk.
        disk: DevicePath,
    },
}

/// How large the database of an OSD is that is kept on another disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbSize {
    /// A part of the OSD's own size.
    Ratio(Ratio),
    /// This much.
    Size(Bytes),
}

/// OSDs to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Add {
    /// The disk.
    pub disk: DevicePath,
    /// The share of the data that each takes.
    pub weight: Weight,
    /// Its database, if that is to be elsewhere.
    pub db: Option<DbSize>,
    /// How many share the disk; at least 1.
    pub count: u8,
}

/// OSDs to be replaced: all that share a disk with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace {
    /// The one.
    pub osd: OsdId,
    /// The disk that takes the place.
    pub disk: DevicePath,
    /// The share of the data, if it is to be another.
    pub weight: Option<Weight>,
    /// The size of the database, if it is to be another. One that had its database elsewhere has it
    /// there again.
    pub db: Option<DbSize>,
}

/// OSDs to be found again: all on a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// One that must be among them.
    pub osd: OsdId,
    /// The disk.
    pub disk: DevicePath,
}

/// An OSD to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remove {
    /// Which.
    pub osd: OsdId,
    /// Although data is at risk, and although some of it fails.
    pub force: bool,
    /// Whether its disk stays as it is.
    pub keep_data: bool,
}

/// What a task is judged by: all seen after its last step.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// This node.
    pub me: &'a NodeName,
    /// The OSDs in the tree.
    pub osds: &'a Shared<OsdId, Osd>,
    /// The OSDs in the cluster.
    pub map: &'a OsdMap,
    /// The machine's disks, among them those that [`Course::devices`] names.
    pub machine: &'a Machine,
    /// Whether the OSDs that [`Course::at_stake`] names are safe to destroy.
    pub safety: &'a Safety,
}

impl<'a> World<'a> {
    /// A disk that was asked for, or why there is none.
    fn disk(self, path: &DevicePath) -> Result<&'a BlockDevice, String> {
        let disk = self.machine.devices.get(path).and_then(Option::as_ref);
        disk.ok_or_else(|| format!("there is no disk {path} on this node"))
    }

    /// The OSDs on a disk, by their numbers.
    fn on(self, disk: &DevicePath) -> Vec<&'a FoundOsd> {
        let mut found: Vec<&FoundOsd> =
            self.machine.osds.iter().filter(|osd| osd.device == *disk).collect();
        found.sort_by_key(|osd| (osd.id, osd.fsid));
        found
    }

    /// The record of an OSD of this node, or why there is none.
    fn own(self, osd: OsdId) -> Result<&'a Osd, String> {
        let record = self.osds.get(&osd).ok_or_else(|| format!("there is no OSD {osd}"))?;
        match record.node.get() {
            Some(Some(node)) if node == self.me => Ok(record),
            Some(Some(node)) => Err(format!("OSD {osd} is on node {node}, not on {}", self.me)),
            Some(None) | None => Err(format!("it is not known on which node OSD {osd} is")),
        }
    }

    fn runs(self, osd: OsdId) -> bool {
        self.machine.running.contains(&osd)
    }
}

/// A disk that OSDs may be made of, or why they may not.
fn blank<'a>(world: World<'a>, path: &DevicePath) -> Result<&'a BlockDevice, String> {
    let disk = world.disk(path)?;
    let held: Vec<String> = world.on(&disk.path).iter().map(|osd| osd.id.to_string()).collect();
    if !held.is_empty() {
        return Err(format!("disk {path} holds OSD {}", held.join(", ")));
    }
    if !disk.is_blank() {
        return Err(format!("disk {path} is not blank: it holds {}", disk.contents()));
    }
    Ok(disk)
}

/// Where the database of an OSD is kept that is not with its data.
fn db_volume(osd: OsdId) -> LvName {
    format!("{DB_GROUP}/osd-{osd}").parse().expect("a number is part of a name")
}

/// Numbers, for people.
fn numbers(osds: impl IntoIterator<Item = OsdId>) -> String {
    osds.into_iter().map(|osd| osd.to_string()).collect::<Vec<_>>().join(", ")
}
