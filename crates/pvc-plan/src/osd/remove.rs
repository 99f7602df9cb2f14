//! An OSD is removed.
//!
//! The tree forgets it before the cluster does, for then its number may be another one's.

use std::time::Duration;

use pvc_common::id::{Fsid, LvName, OsdId};
use pvc_common::observed::{FoundOsd, MappedOsd, Safety};

use super::step::Counter;
use super::{DB_GROUP, Memory, Next, Remove, Step, World, db_volume, record};

/// How long it is waited for the data to be elsewhere. Moving a full disk's data takes hours, which
/// is nothing to wait for in a task.
pub(super) const SAFE_WITHIN: Duration = Duration::from_secs(60);

const OF: u32 = 10;

pub(super) fn next(
    task: &Remove,
    memory: Option<&Memory>,
    world: World<'_>,
    skipped: impl Fn(&Step) -> bool,
) -> Next {
    let Some(Memory::Removing { osd, fsid, db }) = memory else {
        return begin(task, world).unwrap_or_else(Next::Fail);
    };
    let known = world.map.osds.get(osd).filter(|it| it.is_destroyed() || it.fsid == Some(*fsid));
    let removing = Removing { task, world, osd: *osd, fsid: *fsid, db: db.as_ref(), known };
    if let Some(wait) = removing.risk() {
        return wait;
    }
    let candidates = [
        removing.take_out(),
        removing.stop(),
        removing.mark_down(),
        removing.destroy(),
        removing.remove_db(),
        removing.wipe(),
        removing.forget(),
        removing.purge(),
    ];
    let next = candidates.into_iter().flatten().find(|next| match next {
        Next::Do(stage) => !skipped(&stage.step),
        Next::Wait(_) | Next::Done(_) | Next::Fail(_) => true,
    });
    match next {
        Some(Next::Do(mut stage)) => {
            // The task is not ended by what fails of it, if so wished.
            stage.optional = task.force;
            Next::Do(stage)
        }
        Some(next) => next,
        None if removing.known.is_some() => {
            Next::Done(format!("Forgot OSD {osd}, which the cluster still knows"))
        }
        None => Next::Done(format!("Removed OSD {osd}")),
    }
}

fn begin(task: &Remove, world: World<'_>) -> Result<Next, String> {
    let osd = task.osd;
    let record = world.own(osd)?;
    let recorded: Option<Fsid> = record.fsid.get().and_then(|fsid| fsid.parse().ok());
    let known = world.map.osds.get(&osd).and_then(|known| known.fsid);
    let fsid = match (recorded, known) {
        (Some(recorded), Some(known)) if recorded != known => {
            return Err(format!(
                "OSD {osd} has identity {recorded} in PVC and {known} in the cluster: it is not \
                 the same"
            ));
        }
        (Some(fsid), _) | (None, Some(fsid)) => fsid,
        (None, None) => return Err(format!("nothing tells the identity of OSD {osd}")),
    };
    // Only what PVC makes itself is taken away with the OSD.
    let db = record.db_device.get().and_then(Option::as_ref).map(|_| db_volume(osd));
    let memory = Memory::Removing { osd, fsid, db };
    Ok(Counter::at(1, OF).act(Step::Remember(memory), format!("Removing OSD {osd}")))
}

struct Removing<'a> {
    task: &'a Remove,
    world: World<'a>,
    osd: OsdId,
    fsid: Fsid,
    db: Option<&'a LvName>,
    /// What the cluster knows of it, if it does.
    known: Option<&'a MappedOsd>,
}

impl Removing<'_> {
    /// What the cluster knows of it, if it was not destroyed.
    fn live(&self) -> Option<&MappedOsd> {
        self.known.filter(|known| !known.is_destroyed())
    }

    fn found(&self) -> Option<&FoundOsd> {
        self.world.machine.osds.iter().find(|found| found.fsid == self.fsid)
    }

    fn at(number: u32, step: Step, text: String) -> Option<Next> {
        Some(Counter::at(number, OF).act(step, text))
    }

    fn take_out(&self) -> Option<Next> {
        let osd = self.osd;
        self.live().filter(|known| known.is_in)?;
        Self::at(2, Step::TakeOut(osd), format!("Taking OSD {osd} out"))
    }

    /// Waits while data would be at risk; until it is out, nothing is known of that.
    fn risk(&self) -> Option<Next> {
        let known = self.live().filter(|known| !known.is_in && !self.task.force)?;
        let Safety::AtRisk { why } = self.world.safety else { return None };
        let osd = self.osd;
        let text = format!("Waiting until OSD {osd} is safe to destroy: {why}");
        let state =
            if known.up { "It is out, and goes on" } else { "It is out; the cluster goes on" };
        let in_vain = format!(
            "OSD {osd} was not safe to destroy within {} s: {why}. {state} moving its data; remove \
             it again when that is done, or force it",
            SAFE_WITHIN.as_secs()
        );
        Some(Counter::at(3, OF).wait(SAFE_WITHIN, text, in_vain))
    }

    fn stop(&self) -> Option<Next> {
        let osd = self.osd;
        // The number may be another one's by now; a disk that died leaves no OSD to be found.
        let ours = self.found().is_some() || self.live().is_some();
        (ours && self.world.runs(osd)).then_some(())?;
        Self::at(4, Step::Stop(osd), format!("Stopping OSD {osd}"))
    }

    fn mark_down(&self) -> Option<Next> {
        let osd = self.osd;
        self.live().filter(|known| known.up)?;
        Self::at(5, Step::MarkDown(osd), format!("Telling the cluster that OSD {osd} is down"))
    }

    fn destroy(&self) -> Option<Next> {
        let (osd, force) = (self.osd, self.task.force);
        self.live()?;
        Self::at(6, Step::Destroy { osd, force }, format!("Destroying OSD {osd}"))
    }

    fn remove_db(&self) -> Option<Next> {
        let (osd, volume) = (self.osd, self.db?);
        let group = self.world.machine.db_group.as_ref()?;
        let others =
            |found: &&FoundOsd| found.db.as_ref() == Some(volume) && found.fsid != self.fsid;
        let shared = self.world.machine.osds.iter().any(|found| others(&found));
        let there = group.volumes.contains_key(volume.volume());
        if self.task.keep_data || shared || !there || self.runs() {
            return None;
        }
        let text = format!("Removing the database of OSD {osd} from {DB_GROUP}");
        Self::at(7, Step::RemoveVolume(volume.clone()), text)
    }

    /// Wipes the disk, or the volume alone if others are on the disk too.
    fn wipe(&self) -> Option<Next> {
        let found = self.found().filter(|_| !self.task.keep_data && !self.runs())?;
        let others = self.world.on(&found.device).iter().any(|other| other.fsid != self.fsid);
        let (osd, device) = (self.osd, &found.device);
        match &found.volume {
            Some(volume) if others => {
                let text = format!("Removing the volume of OSD {osd} from {device}");
                Self::at(8, Step::RemoveVolume(volume.clone()), text)
            }
            None if others => None,
            Some(_) | None => Self::at(8, Step::Zap(device.clone()), format!("Wiping {device}")),
        }
    }

    /// Whether it still runs, although it was to be stopped: then its disk is not touched.
    fn runs(&self) -> bool {
        self.found().is_some() && self.world.runs(self.osd)
    }

    fn forget(&self) -> Option<Next> {
        let (osd, fsid) = (self.osd, self.fsid);
        let record = self.world.osds.get(&osd)?;
        let recorded: Option<Fsid> = record.fsid.get().and_then(|fsid| fsid.parse().ok());
        if recorded.is_some_and(|recorded| recorded != fsid) {
            return None;
        }
        let guard = record::guard(osd, record);
        let text = format!("Forgetting OSD {osd}");
        Self::at(9, Step::Forget { osd, fsid, guard }, text)
    }

    fn purge(&self) -> Option<Next> {
        let (osd, force) = (self.osd, self.task.force);
        self.known?;
        Self::at(10, Step::Purge { osd, force }, format!("Removing OSD {osd} from the cluster"))
    }
}
