//! What the storage cluster says of its OSDs, and what a machine's disks were seen to hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{DevicePath, Fsid, LvName, OsdId};
use crate::state::{OsdFlag, Tier};
use crate::unit::{Bytes, Weight};

/// An OSD as the storage cluster knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedOsd {
    /// Its identity; none once it was destroyed: then only its number is left, to be used again.
    pub fsid: Option<Fsid>,
    /// Whether it serves.
    pub up: bool,
    /// Whether data is to be kept on it.
    pub is_in: bool,
    /// Whether it never served until now.
    pub new: bool,
    /// The machine it is counted to, if it is counted to any.
    pub host: Option<String>,
    /// Its share of the data; zero while it is counted to no machine.
    pub weight: Weight,
}

impl MappedOsd {
    /// Whether nothing but its number is left of it.
    #[must_use]
    pub const fn is_destroyed(&self) -> bool {
        self.fsid.is_none()
    }
}

/// What the storage cluster knows of its OSDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsdMap {
    /// The cluster's identity.
    pub cluster: Fsid,
    /// The flags that are set.
    pub flags: BTreeSet<OsdFlag>,
    /// Every OSD.
    pub osds: BTreeMap<OsdId, MappedOsd>,
}

/// Whether something may be done to OSDs without risk to the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Safety {
    /// It may.
    Safe,
    /// It may not, or it is not known.
    AtRisk {
        /// Why, for people.
        why: String,
    },
}

/// A block device of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockDevice {
    /// The kernel's name for it, whatever it was asked for by.
    pub path: DevicePath,
    /// How much it holds.
    pub size: Bytes,
    /// What is written on it, by the names that `wipefs` has: `gpt`, `ext4`, `LVM2_member`.
    pub signatures: BTreeSet<String>,
    /// Its partitions, and the devices that are made of it, with what is written on each.
    pub parts: BTreeMap<DevicePath, BTreeSet<String>>,
    /// Where it or a part of it is mounted.
    pub mounts: Vec<String>,
}

impl BlockDevice {
    /// Whether there is nothing on it and nobody uses it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.signatures.is_empty() && self.parts.is_empty() && self.mounts.is_empty()
    }

    /// What there is on it, for people: `gpt, with /dev/sdb1, mounted at /srv`.
    #[must_use]
    pub fn contents(&self) -> String {
        let mut all: Vec<String> = self.signatures.iter().cloned().collect();
        let parts: Vec<&str> = self.parts.keys().map(DevicePath::as_str).collect();
        if !parts.is_empty() {
            all.push(format!("with {}", parts.join(", ")));
        }
        if !self.mounts.is_empty() {
            all.push(format!("mounted at {}", self.mounts.join(", ")));
        }
        if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
    }
}

/// An OSD that is kept on a disk of this machine, whether the cluster knows of it or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundOsd {
    /// Its number.
    pub id: OsdId,
    /// Its identity.
    pub fsid: Fsid,
    /// The cluster that it was made for.
    pub cluster: Fsid,
    /// The disk it is on, by the kernel's name; the first if there are several.
    pub device: DevicePath,
    /// The logical volume it is on, if it is not on the disk itself.
    pub volume: Option<LvName>,
    /// The logical volume of its database, if that is elsewhere.
    pub db: Option<LvName>,
    /// How much it holds.
    pub size: Bytes,
    /// Whether it was made to the end.
    pub whole: bool,
}

/// A volume group of LVM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeGroup {
    /// Its name.
    pub name: String,
    /// What no volume uses.
    pub free: Bytes,
    /// The devices it is on.
    pub devices: BTreeSet<DevicePath>,
    /// Its volumes, with their sizes.
    pub volumes: BTreeMap<String, Bytes>,
}

/// What a machine's disks were seen to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The devices that were asked for, by what they were asked for; none where there is none.
    pub devices: BTreeMap<DevicePath, Option<BlockDevice>>,
    /// Every OSD on any disk.
    pub osds: Vec<FoundOsd>,
    /// The volume group for databases, if there is one.
    pub db_group: Option<VolumeGroup>,
    /// The OSDs whose programs run.
    pub running: BTreeSet<OsdId>,
    /// Whether disks are taken apart by LVM here. Without, there is one OSD on a disk, and its
    /// database is with it.
    pub lvm: bool,
    /// What is another each time the machine is started: until then a disk keeps its name.
    pub boot: String,
}

/// OSDs to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOsds {
    /// The disk, by the kernel's name.
    pub device: DevicePath,
    /// How many; at least 1.
    pub count: u8,
    /// What kind of device Ceph shall take them for.
    pub class: Tier,
    /// The numbers of destroyed OSDs that they get; as many as there are OSDs, or none.
    pub ids: Vec<OsdId>,
}
