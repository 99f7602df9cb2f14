//! OSDs of this node that were made before are found on a disk, and run again.

use std::time::Duration;

use pvc_common::id::Fsid;
use pvc_common::observed::FoundOsd;

use super::step::Counter;
use super::{Next, Refresh, Step, World, numbers, record};

/// One that was away for long catches up first.
const UP_WITHIN: Duration = Duration::from_secs(300);

/// Placed, started and recorded.
const OF_EACH: u32 = 3;

pub(super) fn next(task: &Refresh, world: World<'_>) -> Next {
    find(task, world).unwrap_or_else(Next::Fail)
}

fn find(task: &Refresh, world: World<'_>) -> Result<Next, String> {
    let disk = world.disk(&task.disk)?;
    let found = world.on(&disk.path);
    world.own(task.osd)?;
    if !found.iter().any(|osd| osd.id == task.osd) {
        let held = numbers(found.iter().map(|osd| osd.id));
        let held = if held.is_empty() { "no OSD".to_owned() } else { format!("OSD {held}") };
        return Err(format!("disk {} holds {held}, not OSD {}", task.disk, task.osd));
    }
    for osd in &found {
        is_known(osd, world)?;
    }
    let of = u32::try_from(found.len()).unwrap_or(u32::MAX) * OF_EACH + 1;
    for (number, osd) in (0..).zip(&found) {
        if let Some(next) = serve(osd, found.len() > 1, world, 1 + number * OF_EACH, of) {
            return Ok(next);
        }
    }
    let down = found.iter().map(|osd| osd.id).filter(|id| {
        let known = world.map.osds.get(id);
        known.is_some_and(|known| !known.up)
    });
    let (down, all) = (numbers(down), numbers(found.iter().map(|osd| osd.id)));
    if down.is_empty() {
        return Ok(Next::Done(format!("Found OSD {all} on {}", disk.path)));
    }
    let text = format!("Waiting until OSD {down} is up");
    let in_vain = format!(
        "OSD {down} was started and did not come up within {} s; see its log on {}",
        UP_WITHIN.as_secs(),
        world.me
    );
    Ok(Counter::at(of, of).wait(UP_WITHIN, text, in_vain))
}

/// Whether an OSD is the one that the tree and the cluster know by its number.
fn is_known(osd: &FoundOsd, world: World<'_>) -> Result<(), String> {
    let id = osd.id;
    if osd.cluster != world.map.cluster {
        return Err(format!("OSD {id} on the disk is of another cluster, {}", osd.cluster));
    }
    let recorded: Option<Fsid> = world.own(id)?.fsid.get().and_then(|fsid| fsid.parse().ok());
    let known = world.map.osds.get(&id).and_then(|known| known.fsid);
    for (where_, fsid) in [("PVC", recorded), ("the cluster", known)] {
        if fsid != Some(osd.fsid) {
            let fsid = fsid.map_or_else(|| "none".to_owned(), |fsid| fsid.to_string());
            return Err(format!(
                "OSD {id} has identity {} on the disk and {fsid} in {where_}: it is not the same",
                osd.fsid
            ));
        }
    }
    if !osd.whole {
        return Err(format!("OSD {id} on the disk is not whole; replace it"));
    }
    Ok(())
}

/// The next step by which one gets to serve, if any.
fn serve(osd: &FoundOsd, split: bool, world: World<'_>, number: u32, of: u32) -> Option<Next> {
    let id = osd.id;
    let known = world.map.osds.get(&id)?;
    if known.host.as_deref() != Some(world.me.as_str()) {
        let (host, weight) = (world.me.clone(), known.weight);
        let text = format!("Counting OSD {id} to {host}");
        let step = Step::Place { osd: id, host, weight };
        return Some(Counter::at(number, of).act(step, text));
    }
    if !world.runs(id) {
        let step = Step::Activate(osd.clone());
        return Some(Counter::at(number + 1, of).act(step, format!("Starting OSD {id}")));
    }
    let ops = record::write(world.me, osd, split, world.osds.get(&id));
    let text = format!("Recording where OSD {id} is");
    (!ops.is_empty()).then(|| Counter::at(number + 2, of).act(Step::Record { osd: id, ops }, text))
}
