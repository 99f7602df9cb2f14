//! OSDs get another disk, and keep their numbers.
//!
//! They get a new identity: the old disk, should it ever be seen again, is not taken for theirs.

use pvc_common::id::{Fsid, OsdId};
use pvc_common::observed::Safety;
use pvc_common::unit::Bytes;

use super::making::{Made, Making, OfEach, Undo};
use super::memory::BlankDisk;
use super::remove::SAFE_WITHIN;
use super::step::Counter;
use super::{
    DB_GROUP, Memory, Next, Replace, Replaced, Step, World, add, blank, db_volume, numbers,
};

/// Taken out, stopped, marked down and destroyed.
const OF_EACH_OLD: u32 = 4;

pub(super) fn next(task: &Replace, memory: Option<&Memory>, world: World<'_>) -> Next {
    let Some(Memory::Replacing { disk, osds }) = memory else {
        return begin(task, world).unwrap_or_else(Next::Fail);
    };
    let replacing = Replacing { world, disk, osds };
    replacing.end_old().unwrap_or_else(|| replacing.make_new())
}

fn begin(task: &Replace, world: World<'_>) -> Result<Next, String> {
    let record = world.own(task.osd)?;
    let old = record.device.get();
    let shares =
        |id: &OsdId| world.own(*id).is_ok_and(|other| old.is_some() && other.device.get() == old);
    let osds = world.osds.keys().copied().filter(|id| *id == task.osd || shares(id));
    let osds: Vec<Replaced> =
        osds.map(|osd| replaced(task, osd, world)).collect::<Result<_, String>>()?;
    let disk = blank(world, &task.disk)?;
    let count = u64::try_from(osds.len()).unwrap_or(u64::MAX);
    if !world.machine.lvm && (count > 1 || osds.iter().any(|osd| osd.db.is_some())) {
        return Err(
            "several OSDs on a disk, or databases elsewhere, take LVM, which is not used on \
                    this node"
                .to_owned(),
        );
    }
    let share = Bytes(disk.size.0 / count);
    let osds: Vec<Replaced> = osds
        .into_iter()
        .map(|osd| Replaced { db: osd.db.map(|db| task.db.map_or(db, |it| it.of(share))), ..osd })
        .collect();
    let wanted: u64 = osds.iter().filter_map(|osd| osd.db).map(|db| db.0).sum();
    if wanted > 0 {
        let freed = osds.iter().filter_map(|osd| volume_size(world, osd.osd)).map(|size| size.0);
        add::room(world, Bytes(wanted), Bytes(freed.sum()))?;
    }
    let (of, all) = (stages(&osds), numbers(osds.iter().map(|osd| osd.osd)));
    let memory = Memory::Replacing { disk: BlankDisk::of(disk, world.machine), osds };
    let text = format!("Replacing OSD {all} by {}", task.disk);
    Ok(Counter::at(1, of).act(Step::Remember(memory), text))
}

/// What is kept of an OSD that makes room.
fn replaced(task: &Replace, osd: OsdId, world: World<'_>) -> Result<Replaced, String> {
    let record = world.own(osd)?;
    let known = world.map.osds.get(&osd).ok_or_else(|| {
        format!("the cluster does not know OSD {osd}; remove it, and add another")
    })?;
    let recorded: Option<Fsid> = record.fsid.get().and_then(|fsid| fsid.parse().ok());
    let fsid = match (recorded, known.fsid) {
        (Some(recorded), Some(known)) if recorded != known => {
            return Err(format!(
                "OSD {osd} has identity {recorded} in PVC and {known} in the cluster: it is not \
                 the same"
            ));
        }
        (Some(fsid), _) | (None, Some(fsid)) => fsid,
        (None, None) => return Err(format!("nothing tells the identity of OSD {osd}")),
    };
    let had_db = record.db_device.get().is_some_and(Option::is_some);
    let db = match (task.db, had_db) {
        // How large a share is, is told by the disk.
        (Some(_), _) => Some(Bytes(0)),
        (None, true) => Some(volume_size(world, osd).ok_or_else(|| {
            format!("the size of the database of OSD {osd} is not known; say how large it is to be")
        })?),
        (None, false) => None,
    };
    Ok(Replaced { osd, fsid, weight: task.weight.unwrap_or(known.weight), db })
}

/// The size of the volume of an OSD's database, if there is one.
fn volume_size(world: World<'_>, osd: OsdId) -> Option<Bytes> {
    world.machine.db_group.as_ref()?.volumes.get(db_volume(osd).volume()).copied()
}

fn count(osds: &[Replaced]) -> u32 {
    u32::try_from(osds.len()).unwrap_or(u32::MAX)
}

fn each(osds: &[Replaced]) -> OfEach {
    if osds.iter().any(|osd| osd.db.is_some()) { OfEach::WITH_DB } else { OfEach::PLAIN }
}

/// The number of the stage in which the old disk is wiped.
fn wiped_at(osds: &[Replaced]) -> u32 {
    2 + count(osds) * OF_EACH_OLD + 1
}

fn stages(osds: &[Replaced]) -> u32 {
    wiped_at(osds) + 1 + count(osds) * each(osds).stages() + 1
}

struct Replacing<'a> {
    world: World<'a>,
    disk: &'a BlankDisk,
    osds: &'a [Replaced],
}

impl Replacing<'_> {
    fn at(&self, number: u32) -> Counter {
        Counter::at(number, stages(self.osds))
    }

    /// Whether an OSD is still the old one, as far as the cluster knows.
    fn is_old(&self, osd: &Replaced) -> bool {
        self.world.map.osds.get(&osd.osd).is_some_and(|known| known.fsid == Some(osd.fsid))
    }

    /// The next step by which the old ones end, if any.
    fn end_old(&self) -> Option<Next> {
        let old: Vec<(u32, &Replaced)> =
            (0..).zip(self.osds).filter(|(_, osd)| self.is_old(osd)).collect();
        let known = |osd: &Replaced| self.world.map.osds.get(&osd.osd);
        for (number, osd) in &old {
            if known(osd).is_some_and(|known| known.is_in) {
                let (osd, number) = (osd.osd, 2 + number);
                return Some(
                    self.at(number).act(Step::TakeOut(osd), format!("Taking OSD {osd} out")),
                );
            }
        }
        if let (Safety::AtRisk { why }, false) = (self.world.safety, old.is_empty()) {
            let all = numbers(old.iter().map(|(_, osd)| osd.osd));
            let text = format!("Waiting until OSD {all} is safe to destroy: {why}");
            let in_vain = format!(
                "OSD {all} was not safe to destroy within {} s: {why}. It is out, and its data is \
                 moved; replace it again when that is done",
                SAFE_WITHIN.as_secs()
            );
            return Some(self.at(2 + count(self.osds)).wait(SAFE_WITHIN, text, in_vain));
        }
        old.into_iter().find_map(|(number, osd)| self.end(osd, 3 + count(self.osds) + 3 * number))
    }

    /// The next step by which an old one ends that is out and safe to destroy.
    fn end(&self, old: &Replaced, number: u32) -> Option<Next> {
        let osd = old.osd;
        let known = self.world.map.osds.get(&osd)?;
        if self.world.runs(osd) {
            return Some(self.at(number).act(Step::Stop(osd), format!("Stopping OSD {osd}")));
        }
        if known.up {
            let text = format!("Telling the cluster that OSD {osd} is down");
            return Some(self.at(number + 1).act(Step::MarkDown(osd), text));
        }
        let step = Step::Destroy { osd, force: false };
        Some(self.at(number + 2).act(step, format!("Destroying OSD {osd}")))
    }

    fn make_new(&self) -> Next {
        if let Some(wipe) = self.wipe() {
            return wipe;
        }
        let ids: Vec<OsdId> = self.osds.iter().map(|osd| osd.osd).collect();
        if let Some(lost) = ids.iter().find(|id| !self.world.map.osds.contains_key(id)) {
            // `ceph-volume` does that when it fails.
            return Next::Fail(format!(
                "the cluster gave up the number of OSD {lost}; remove it, and add another"
            ));
        }
        let of = |id: OsdId| self.osds.iter().find(|osd| osd.osd == id);
        let kept = |id| of(id).map(|osd| osd.weight);
        let any = self.osds.first().map(|osd| osd.weight);
        let making = Making {
            world: self.world,
            disk: self.disk,
            count: u8::try_from(ids.len()).unwrap_or(u8::MAX),
            ids: &ids,
            undo: Undo::Destroy,
            weight: &|id| kept(id).or(any).expect("there is one at least"),
            db: &|found| of(found.id).and_then(|osd| osd.db),
            first: wiped_at(self.osds) + 1,
            of: stages(self.osds),
            each: each(self.osds),
        };
        match making.next() {
            Made::Not(next) => next,
            Made::All(made) => {
                let made = numbers(made.iter().map(|osd| osd.id));
                Next::Done(format!("Replaced OSD {made}, now on {}", self.disk.path))
            }
        }
    }

    /// Wipes what the old ones were on, as far as it is still here.
    fn wipe(&self) -> Option<Next> {
        let at = self.at(wiped_at(self.osds));
        let is_old = |fsid: Fsid| self.osds.iter().any(|osd| osd.fsid == fsid);
        let found = self.world.machine.osds.iter().find(|found| is_old(found.fsid))?;
        if let Some(db) = found.db.as_ref().filter(|db| db.group() == DB_GROUP) {
            let text = format!("Removing the old database of OSD {}", found.id);
            return Some(at.act(Step::RemoveVolume(db.clone()), text));
        }
        let others: Vec<OsdId> = self
            .world
            .on(&found.device)
            .iter()
            .filter(|other| !is_old(other.fsid))
            .map(|other| other.id)
            .collect();
        if !others.is_empty() {
            return Some(Next::Fail(format!(
                "disk {} holds OSD {} too, which is not replaced",
                found.device,
                numbers(others)
            )));
        }
        let device = found.device.clone();
        let text = format!("Wiping {device}, on which OSD {} was", found.id);
        Some(at.act(Step::Zap(device), text))
    }
}
