//! OSDs are added on a blank disk.

use std::time::Duration;

use pvc_common::unit::Bytes;

use super::making::{Made, Making, OfEach, Undo};
use super::memory::BlankDisk;
use super::record;
use super::step::Counter;
use super::{Add, DB_GROUP, DbSize, Memory, Next, Step, World, blank, numbers};

/// The primary tells of a new OSD with its next keepalive; another one may have to become primary
/// before.
const TOLD_WITHIN: Duration = Duration::from_secs(120);

/// More OSDs on a disk take more memory than they give speed.
const MOST: u8 = 16;

pub(super) fn next(task: &Add, memory: Option<&Memory>, world: World<'_>) -> Next {
    let each = if task.db.is_some() { OfEach::WITH_DB } else { OfEach::PLAIN };
    let of = 2 + u32::from(task.count) * each.stages() + 2;
    let Some(Memory::Blank(disk)) = memory else {
        return begin(task, world, of).unwrap_or_else(Next::Fail);
    };
    let making = Making {
        world,
        disk,
        count: task.count,
        ids: &[],
        undo: Undo::Purge,
        weight: &|_| task.weight,
        db: &|osd| task.db.map(|db| db.of(osd.size)),
        first: 2,
        of,
        each,
    };
    match making.next() {
        Made::Not(next) => next,
        Made::All(made) => {
            let untold = made.iter().find(|osd| record::is_untold(world.osds.get(&osd.id)));
            let made = numbers(made.iter().map(|osd| osd.id));
            if untold.is_some() {
                let text = format!("Waiting until the cluster tells of OSD {made}");
                let in_vain = format!(
                    "OSD {made} runs, but nothing was told of it within {} s; see the primary's \
                     log",
                    TOLD_WITHIN.as_secs()
                );
                return Counter::at(of, of).wait(TOLD_WITHIN, text, in_vain);
            }
            Next::Done(format!("Added OSD {made} on {}", disk.path))
        }
    }
}

fn begin(task: &Add, world: World<'_>, of: u32) -> Result<Next, String> {
    if !(1..=MOST).contains(&task.count) {
        return Err(format!("{} OSDs on a disk: from 1 to {MOST} are possible", task.count));
    }
    let disk = blank(world, &task.disk)?;
    if !world.machine.lvm && (task.count > 1 || task.db.is_some()) {
        let what = if task.count > 1 { "several OSDs on a disk" } else { "a database elsewhere" };
        return Err(format!("{what} takes LVM, which is not used on this node"));
    }
    if let Some(db) = task.db {
        let share = db.of(Bytes(disk.size.0 / u64::from(task.count)));
        room(world, Bytes(share.0 * u64::from(task.count)), Bytes(0))?;
    }
    let memory = Memory::Blank(BlankDisk::of(disk, world.machine));
    Ok(Counter::at(1, of).act(Step::Remember(memory), format!("Checked disk {}", task.disk)))
}

impl DbSize {
    /// How large that is for an OSD of this size, in whole units of LVM.
    pub(super) fn of(self, osd: Bytes) -> Bytes {
        /// LVM hands space out by 4 MiB.
        const UNIT: u64 = 4 << 20;
        let wanted = match self {
            Self::Ratio(ratio) => ratio.of(osd).0,
            Self::Size(size) => size.0,
        };
        Bytes((wanted / UNIT * UNIT).max(UNIT))
    }
}

/// Whether databases have room in the group for them, once so much more is free.
pub(super) fn room(world: World<'_>, wanted: Bytes, freed: Bytes) -> Result<(), String> {
    let Some(group) = &world.machine.db_group else {
        return Err(format!(
            "this node has no volume group {DB_GROUP} for databases; create it first"
        ));
    };
    let free = Bytes(group.free.0 + freed.0);
    if wanted > free {
        return Err(format!(
            "the databases take {wanted}, and volume group {DB_GROUP} has {free} free"
        ));
    }
    Ok(())
}
