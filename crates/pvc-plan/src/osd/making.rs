//! OSDs are made on a disk that was blank, until they serve and are in the tree.

use std::time::Duration;

use pvc_common::id::OsdId;
use pvc_common::observed::{BlockDevice, FoundOsd, NewOsds};
use pvc_common::state::Tier;
use pvc_common::unit::{Bytes, Weight};

use super::memory::BlankDisk;
use super::step::Counter;
use super::{DB_GROUP, Next, Step, World, add, db_volume, numbers, record};

/// An OSD that is started reads its whole map of the cluster first.
const UP_WITHIN: Duration = Duration::from_secs(120);

/// What making OSDs leaves on a disk, whenever it ends.
const LEFTOVERS: [&str; 2] = ["LVM2_member", "ceph_bluestore"];

/// How an OSD that was announced to the cluster, and did not get whole, is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// With its number.
    Purge,
    /// But for its number, which the next one gets.
    Destroy,
}

/// What is done for each OSD.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfEach(u32);

impl OfEach {
    /// Placed, started, recorded.
    pub(super) const PLAIN: Self = Self(3);
    /// And its database moved.
    pub(super) const WITH_DB: Self = Self(4);

    pub(super) const fn stages(self) -> u32 {
        self.0
    }
}

/// What is to be made, and where in the task.
pub(super) struct Making<'a> {
    pub(super) world: World<'a>,
    pub(super) disk: &'a BlankDisk,
    pub(super) count: u8,
    /// The numbers they get; none: whichever are free.
    pub(super) ids: &'a [OsdId],
    pub(super) undo: Undo,
    pub(super) weight: &'a dyn Fn(OsdId) -> Weight,
    /// The size of an OSD's database, if that is to be elsewhere.
    pub(super) db: &'a dyn Fn(&FoundOsd) -> Option<Bytes>,
    /// The number of the stage in which they are made.
    pub(super) first: u32,
    pub(super) of: u32,
    pub(super) each: OfEach,
}

/// How far it is.
pub(super) enum Made<'a> {
    /// There is more to do.
    Not(Next),
    /// They serve, and are in the tree.
    All(Vec<&'a FoundOsd>),
}

impl<'a> Making<'a> {
    pub(super) fn next(&self) -> Made<'a> {
        let disk = match self.world.disk(&self.disk.path) {
            Ok(disk) => disk,
            Err(why) => return Made::Not(Next::Fail(why)),
        };
        let found = self.world.on(&disk.path);
        let complete = found.len() == usize::from(self.count) && found.iter().all(|osd| osd.whole);
        if let Err(why) = self.are_ours(&found) {
            return Made::Not(Next::Fail(why));
        }
        if !complete {
            return Made::Not(self.make(disk, &found).unwrap_or_else(Next::Fail));
        }
        for (number, osd) in (0..).zip(&found) {
            let next = self.serve(osd, self.first + 1 + number * self.each.stages());
            if let Some(next) = next.unwrap_or_else(|why| Some(Next::Fail(why))) {
                return Made::Not(next);
            }
        }
        self.up(&found).map_or(Made::All(found), Made::Not)
    }

    /// Nobody else may have put an OSD there meanwhile.
    fn are_ours(&self, found: &[&FoundOsd]) -> Result<(), String> {
        let path = &self.disk.path;
        for osd in found {
            let (id, cluster) = (osd.id, osd.cluster);
            if cluster != self.world.map.cluster {
                return Err(format!("disk {path} holds OSD {id} of another cluster, {cluster}"));
            }
            if !self.ids.is_empty() && !self.ids.contains(&id) {
                return Err(format!("disk {path} holds OSD {id}, which this task did not make"));
            }
        }
        Ok(())
    }

    /// Makes them; what was begun before and is not whole is undone first.
    fn make(&self, disk: &BlockDevice, found: &[&FoundOsd]) -> Result<Next, String> {
        let (at, path) = (Counter::at(self.first, self.of), &disk.path);
        if disk.is_blank() && found.is_empty() {
            let (count, ids) = (self.count, self.ids.to_vec());
            let osds = NewOsds { device: path.clone(), count, class: class(disk), ids };
            let what = if count == 1 { "an OSD".to_owned() } else { format!("{count} OSDs") };
            return Ok(at.act(Step::Prepare(osds), format!("Making {what} on {path}")));
        }
        for osd in found {
            let known = self.world.map.osds.get(&osd.id);
            let known = known.filter(|known| known.fsid == Some(osd.fsid));
            if self.world.runs(osd.id) || known.is_some_and(|known| known.up || !known.new) {
                return Err(format!("disk {path} holds OSD {}, which is in service", osd.id));
            }
            if known.is_some() {
                let osd = osd.id;
                let step = match self.undo {
                    Undo::Purge => Step::Purge { osd, force: true },
                    Undo::Destroy => Step::Destroy { osd, force: true },
                };
                return Ok(at.act(step, format!("Taking OSD {osd} back, which is half made")));
            }
        }
        self.is_leftover(disk, found)?;
        Ok(at.act(Step::Zap(path.clone()), format!("Wiping {path}, which is half made")))
    }

    /// Whether a disk that is not blank any more holds nothing but what making OSDs leaves.
    fn is_leftover(&self, disk: &BlockDevice, found: &[&FoundOsd]) -> Result<(), String> {
        let left = |signature: &String| LEFTOVERS.contains(&signature.as_str());
        let made = disk.signatures.iter().all(left)
            && disk.parts.values().flatten().all(left)
            && disk.mounts.is_empty();
        // A name may have become another disk's when the machine was started anew.
        let known = !found.is_empty() || self.disk.is_still(disk, self.world.machine);
        if made && known {
            return Ok(());
        }
        let (path, contents) = (&disk.path, disk.contents());
        Err(format!("disk {path} was blank, and now holds {contents}; it is left as it is"))
    }

    /// The next step by which one of them gets to serve, if any.
    fn serve(&self, osd: &FoundOsd, first: u32) -> Result<Option<Next>, String> {
        let (id, mut number) = (osd.id, first);
        let known = self.world.map.osds.get(&id).filter(|known| known.fsid == Some(osd.fsid));
        let Some(known) = known else {
            return Err(format!("the cluster does not know OSD {id} with identity {}", osd.fsid));
        };
        if let Some(size) = (self.db)(osd) {
            if osd.db.is_none() {
                return self.add_db(osd, size, Counter::at(number, self.of)).map(Some);
            }
            number += 1;
        }
        let weight = (self.weight)(id);
        if known.host.as_deref() != Some(self.world.me.as_str()) || !known.weight.is_like(weight) {
            let step = Step::Place { osd: id, host: self.world.me.clone(), weight };
            let text = format!("Counting OSD {id} to {} with weight {weight}", self.world.me);
            return Ok(Some(Counter::at(number, self.of).act(step, text)));
        }
        if !self.world.runs(id) {
            let at = Counter::at(number + 1, self.of);
            return Ok(Some(at.act(Step::Activate(osd.clone()), format!("Starting OSD {id}"))));
        }
        let split = self.count > 1;
        let ops = record::write(self.world.me, osd, split, self.world.osds.get(&id));
        let step = Step::Record { osd: id, ops: ops.clone() };
        let at = Counter::at(number + 2, self.of);
        Ok((!ops.is_empty()).then(|| at.act(step, format!("Recording OSD {id}"))))
    }

    fn add_db(&self, osd: &FoundOsd, size: Bytes, at: Counter) -> Result<Next, String> {
        let (id, volume) = (osd.id, db_volume(osd.id));
        if self.world.runs(id) {
            return Ok(at.act(Step::Stop(id), format!("Stopping OSD {id}")));
        }
        let user = self.world.machine.osds.iter().find(|it| it.db.as_ref() == Some(&volume));
        if let Some(user) = user {
            let user = user.id;
            return Err(format!("volume {volume} is the database of OSD {user} on another disk"));
        }
        let group = self.world.machine.db_group.as_ref();
        let present = group.and_then(|group| group.volumes.get(volume.volume()));
        add::room(self.world, size, present.copied().unwrap_or_default())?;
        let text = format!("Making a database of {size} for OSD {id} in {DB_GROUP}");
        Ok(at.act(Step::AddDb { osd: osd.clone(), volume, size }, text))
    }

    /// Waits until all of them serve.
    fn up(&self, found: &[&FoundOsd]) -> Option<Next> {
        let stages = u32::from(self.count) * self.each.stages();
        let at = Counter::at(self.first + stages + 1, self.of);
        let of = |holds: fn(bool, bool) -> bool| {
            let osds = found.iter().map(|osd| osd.id);
            let known = osds.filter_map(|id| Some((id, self.world.map.osds.get(&id)?)));
            known.filter(|(_, it)| holds(it.up, it.is_in)).map(|(id, _)| id).collect::<Vec<_>>()
        };
        let down = of(|up, _| !up);
        if !down.is_empty() {
            let down = numbers(down);
            let text = format!("Waiting until OSD {down} is up");
            let in_vain = format!(
                "OSD {down} was started and did not come up within {} s; see its log on {}",
                UP_WITHIN.as_secs(),
                self.world.me
            );
            return Some(at.wait(UP_WITHIN, text, in_vain));
        }
        let out = of(|_, is_in| !is_in).first().copied();
        out.map(|osd| at.act(Step::PutIn(osd), format!("Taking OSD {osd} in")))
    }
}

/// What kind of device the cluster takes it for. That of a disk which is not on NVMe is not told
/// apart: many machines say wrongly that it rotates.
fn class(disk: &BlockDevice) -> Tier {
    if disk.path.as_str().contains("nvme") { Tier::Nvme } else { Tier::Ssd }
}
