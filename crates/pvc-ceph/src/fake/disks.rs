//! A machine's disks in memory, with a cluster in memory that knows of the OSDs on them.
//!
//! Honest where it matters: OSDs are only made on a blank disk and get their numbers from the
//! cluster, what was not made to the end stays half made, and only an activated OSD can be started.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pvc_common::id::{DevicePath, Disk, Fsid, LvName, OsdId};
use pvc_common::observed::{BlockDevice, FoundOsd, NewOsds, VolumeGroup};
use pvc_common::unit::Bytes;

use super::{FakeCeph, Mood};
use crate::{DiskError, Disks};

/// How long a call waits for a program that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The calls that change nothing.
const QUESTIONS: [&str; 4] = ["ceph-volume lvm list", "lsblk", "lsscsi", "vgs"];

/// The disks of a machine in memory. Clones are the same machine.
#[derive(Clone, Debug)]
pub struct FakeDisks {
    ceph: FakeCeph,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    lvm: bool,
    mood: Mood,
    disks: BTreeMap<DevicePath, BlockDevice>,
    osds: Vec<FoundOsd>,
    groups: BTreeMap<String, VolumeGroup>,
    active: BTreeSet<OsdId>,
    running: BTreeMap<OsdId, Fsid>,
    /// How many OSDs are still made before the program that makes them is killed.
    made_before_end: Option<u8>,
}

fn refused(command: &str, why: &str) -> DiskError {
    DiskError::Refused { command: command.to_owned(), why: why.to_owned() }
}

fn disk(path: &DevicePath, size: Bytes) -> BlockDevice {
    BlockDevice {
        path: path.clone(),
        size,
        signatures: BTreeSet::new(),
        parts: BTreeMap::new(),
        mounts: Vec::new(),
    }
}

impl FakeDisks {
    /// A machine without disks, of that cluster.
    #[must_use]
    pub fn new(ceph: FakeCeph, lvm: bool) -> Self {
        let state = State {
            lvm,
            mood: Mood::Well,
            disks: BTreeMap::new(),
            osds: Vec::new(),
            groups: BTreeMap::new(),
            active: BTreeSet::new(),
            running: BTreeMap::new(),
            made_before_end: None,
        };
        Self { ceph, state: Arc::new(Mutex::new(state)) }
    }

    /// Puts a blank disk in.
    pub fn insert(&self, path: &DevicePath, size: Bytes) {
        self.state().disks.insert(path.clone(), disk(path, size));
    }

    /// Takes a disk out, with what is on it.
    pub fn pull(&self, path: &DevicePath) {
        let mut state = self.state();
        state.disks.remove(path);
        state.osds.retain(|osd| osd.device != *path);
        state.groups.retain(|_, group| !group.devices.contains(path));
    }

    /// Writes something on a disk: `ext4`.
    pub fn write(&self, path: &DevicePath, signature: &str) {
        if let Some(disk) = self.state().disks.get_mut(path) {
            disk.signatures.insert(signature.to_owned());
        }
    }

    /// Changes how it answers from now on.
    pub fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// The next time OSDs are made, only so many become whole before the program is killed.
    pub fn end_after(&self, made: u8) {
        self.state().made_before_end = Some(made);
    }

    /// The OSDs whose programs run.
    #[must_use]
    pub fn running(&self) -> BTreeSet<OsdId> {
        self.state().running.keys().copied().collect()
    }

    /// Starts an OSD's program, as `systemctl start ceph-osd@N` does; whether it runs then. It does
    /// not unless it was activated.
    #[must_use]
    pub fn start(&self, osd: OsdId) -> bool {
        let mut state = self.state();
        let may = state.active.contains(&osd);
        let whole = state.osds.iter().find(|it| it.id == osd && it.whole && may);
        let Some(fsid) = whole.map(|osd| osd.fsid) else { return false };
        state.running.insert(osd, fsid);
        drop(state);
        self.ceph.osd_runs(osd, fsid, true);
        true
    }

    /// Starts the machine anew: all programs end. With LVM those of activated OSDs are started with the
    /// machine, and without no OSD is activated any more.
    pub fn restart(&self) {
        for osd in self.running() {
            self.stop(osd);
        }
        let mut state = self.state();
        if state.lvm {
            let active = state.active.clone();
            drop(state);
            for osd in active {
                let _: bool = self.start(osd);
            }
        } else {
            state.active.clear();
        }
    }

    /// Stops an OSD's program, as `systemctl stop ceph-osd@N` does.
    pub fn stop(&self, osd: OsdId) {
        let stopped = self.state().running.remove(&osd);
        if let Some(fsid) = stopped {
            self.ceph.osd_runs(osd, fsid, false);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something in the present mood.
    async fn ask<T>(
        &self,
        command: &'static str,
        act: impl FnOnce(&mut State) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mood = self.state().mood;
        match mood {
            Mood::Well => return act(&mut self.state()),
            Mood::Refuses => return Err(refused(command, "permission denied")),
            Mood::Absent => return Err(DiskError::Absent { program: command }),
            Mood::TellsOnly if QUESTIONS.contains(&command) => return act(&mut self.state()),
            Mood::Deafens | Mood::TellsOnly => drop(act(&mut self.state())),
            Mood::Hangs => {}
        }
        tokio::time::sleep(PATIENCE).await;
        Err(DiskError::NoAnswer { command: command.to_owned(), waited: PATIENCE })
    }
}

impl State {
    fn with_lvm(&self, what: &'static str) -> Result<(), DiskError> {
        if self.lvm { Ok(()) } else { Err(DiskError::TakesLvm { what }) }
    }

    fn disk(&mut self, path: &DevicePath) -> Result<&mut BlockDevice, DiskError> {
        self.disks.get_mut(path).ok_or_else(|| DiskError::NoDisk { disk: path.to_string() })
    }

    fn prepare(&mut self, ceph: &FakeCeph, osds: &NewOsds) -> Result<(), DiskError> {
        if osds.count > 1 {
            self.with_lvm("more than one OSD on a disk")?;
        }
        let (lvm, end) = (self.lvm, self.made_before_end.take());
        let disk = self.disk(&osds.device)?;
        if !disk.is_blank() {
            return Err(refused("ceph-volume lvm batch", "the disk is in use"));
        }
        let size = Bytes(disk.size.0 / u64::from(osds.count.max(1)));
        disk.signatures.insert(if lvm { "LVM2_member" } else { "ceph_bluestore" }.to_owned());
        for number in 0..osds.count {
            let wanted = osds.ids.get(usize::from(number)).copied();
            let announced = ceph.announce_osd(wanted);
            let (id, fsid) =
                announced.map_err(|error| refused("ceph-volume lvm batch", &error.to_string()))?;
            let volume = format!("ceph-{fsid}/osd-block-{fsid}");
            let whole = end.is_none_or(|end| number < end);
            self.osds.push(FoundOsd {
                id,
                fsid,
                cluster: ceph.identity(),
                device: osds.device.clone(),
                volume: lvm.then(|| volume.parse().expect("it is a name")),
                db: None,
                size,
                whole,
            });
            if !whole {
                return Err(refused("ceph-volume lvm batch", "killed"));
            }
        }
        Ok(())
    }

    fn add_db(&mut self, osd: &FoundOsd, db: &LvName, size: Bytes) -> Result<(), DiskError> {
        self.with_lvm("a database on another disk")?;
        if self.running.contains_key(&osd.id) {
            return Err(refused("ceph-volume lvm new-db", "the OSD is running"));
        }
        let no_group = || refused("lvcreate", "there is no such volume group");
        let group = self.groups.get_mut(db.group()).ok_or_else(no_group)?;
        group.free.0 += group.volumes.remove(db.volume()).unwrap_or_default().0;
        group.free.0 =
            group.free.0.checked_sub(size.0).ok_or_else(|| refused("lvcreate", "no space"))?;
        group.volumes.insert(db.volume().to_owned(), size);
        let present = self.osds.iter_mut().find(|present| present.fsid == osd.fsid);
        present.ok_or_else(|| refused("ceph-volume lvm new-db", "no such OSD"))?.db =
            Some(db.clone());
        Ok(())
    }

    fn zap(&mut self, device: &DevicePath) -> Result<(), DiskError> {
        let lost = self.osds.iter().filter(|osd| osd.device == *device);
        if lost.clone().any(|osd| self.running.contains_key(&osd.id)) {
            return Err(refused("ceph-volume lvm zap", "device or resource busy"));
        }
        let lost: BTreeSet<OsdId> = lost.map(|osd| osd.id).collect();
        let present = self.disk(device)?;
        if !present.mounts.is_empty() {
            return Err(refused("ceph-volume lvm zap", "device or resource busy"));
        }
        *present = disk(device, present.size);
        self.active.retain(|osd| !lost.contains(osd));
        self.osds.retain(|osd| osd.device != *device);
        Ok(())
    }

    fn remove_volume(&mut self, volume: &LvName) -> Result<(), DiskError> {
        self.with_lvm("a logical volume")?;
        self.osds.retain(|osd| osd.volume.as_ref() != Some(volume));
        for osd in self.osds.iter_mut().filter(|osd| osd.db.as_ref() == Some(volume)) {
            (osd.db, osd.whole) = (None, false);
        }
        if let Some(group) = self.groups.get_mut(volume.group()) {
            group.free.0 += group.volumes.remove(volume.volume()).unwrap_or_default().0;
        }
        Ok(())
    }

    fn create_group(&mut self, name: &str, on: &DevicePath) -> Result<(), DiskError> {
        self.with_lvm("a volume group")?;
        let holder = self.disks.values_mut().find(|disk| disk.parts.contains_key(on));
        let holder = holder.ok_or_else(|| DiskError::NoDisk { disk: on.to_string() })?;
        if self.groups.contains_key(name) {
            return Err(refused("vgcreate", "there is such a volume group"));
        }
        holder.parts.insert(on.clone(), ["LVM2_member".to_owned()].into());
        let group = VolumeGroup {
            name: name.to_owned(),
            free: holder.size,
            devices: [on.clone()].into(),
            volumes: BTreeMap::new(),
        };
        self.groups.insert(name.to_owned(), group);
        Ok(())
    }
}

impl Disks for FakeDisks {
    fn lvm(&self) -> bool {
        self.state().lvm
    }

    async fn find(&self, disk: &Disk) -> Result<DevicePath, DiskError> {
        self.ask("lsscsi", |state| match disk {
            Disk::Path(path) => Ok(path.clone()),
            Disk::Detect(detect) => {
                let alike = state.disks.values().filter(|it| detect.is_like("FAKE DISK", it.size));
                let none = || DiskError::NoDisk { disk: detect.to_string() };
                alike.map(|it| it.path.clone()).nth(detect.index()).ok_or_else(none)
            }
        })
        .await
    }

    async fn device(&self, device: &DevicePath) -> Result<Option<BlockDevice>, DiskError> {
        self.ask("lsblk", |state| Ok(state.disks.get(device).cloned())).await
    }

    async fn osds(&self) -> Result<Vec<FoundOsd>, DiskError> {
        self.ask("ceph-volume lvm list", |state| Ok(state.osds.clone())).await
    }

    async fn volume_group(&self, name: &str) -> Result<Option<VolumeGroup>, DiskError> {
        self.ask("vgs", |state| Ok(state.groups.get(name).cloned())).await
    }

    async fn prepare(&self, osds: &NewOsds) -> Result<(), DiskError> {
        self.ask("ceph-volume lvm batch", |state| state.prepare(&self.ceph, osds)).await
    }

    async fn activate(&self, osd: &FoundOsd) -> Result<(), DiskError> {
        self.ask("ceph-volume lvm activate", |state| {
            let present = state.osds.iter().any(|it| it.fsid == osd.fsid && it.whole);
            if !present {
                return Err(refused("ceph-volume lvm activate", "could not find osd"));
            }
            state.active.insert(osd.id);
            Ok(())
        })
        .await
    }

    async fn add_db(&self, osd: &FoundOsd, db: &LvName, size: Bytes) -> Result<(), DiskError> {
        self.ask("ceph-volume lvm new-db", |state| state.add_db(osd, db, size)).await
    }

    async fn zap(&self, device: &DevicePath) -> Result<(), DiskError> {
        self.ask("ceph-volume lvm zap", |state| state.zap(device)).await
    }

    async fn remove_volume(&self, volume: &LvName) -> Result<(), DiskError> {
        self.ask("lvremove", |state| state.remove_volume(volume)).await
    }

    async fn partition(&self, device: &DevicePath) -> Result<(), DiskError> {
        self.ask("sgdisk", |state| {
            state.with_lvm("a partition for databases")?;
            let disk = state.disk(device)?;
            let part: DevicePath = format!("{device}1").parse().expect("it is a path");
            disk.signatures.insert("gpt".to_owned());
            disk.parts.insert(part, BTreeSet::new());
            Ok(())
        })
        .await
    }

    async fn create_group(&self, name: &str, partition: &DevicePath) -> Result<(), DiskError> {
        self.ask("vgcreate", |state| state.create_group(name, partition)).await
    }
}
