//! A volume group for databases is made on a blank disk.

use std::time::Duration;

use pvc_common::id::DevicePath;

use super::memory::BlankDisk;
use super::step::Counter;
use super::{DB_GROUP, Memory, Next, Step, World, blank};

/// The kernel shows a partition once udev has settled.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

const OF: u32 = 4;

pub(super) fn next(disk: &DevicePath, memory: Option<&Memory>, world: World<'_>) -> Next {
    decide(disk, memory, world).unwrap_or_else(Next::Fail)
}

fn decide(path: &DevicePath, memory: Option<&Memory>, world: World<'_>) -> Result<Next, String> {
    if !world.machine.lvm {
        return Err("databases elsewhere take LVM, which is not used on this node".to_owned());
    }
    let group = world.machine.db_group.as_ref();
    let on = || group.iter().flat_map(|group| &group.devices);
    let Some(Memory::Blank(begun)) = memory else {
        if group.is_some() {
            let on: Vec<&str> = on().map(DevicePath::as_str).collect();
            let on = on.join(", ");
            return Err(format!("this node has a volume group {DB_GROUP} already, on {on}"));
        }
        let memory = Memory::Blank(BlankDisk::of(blank(world, path)?, world.machine));
        let text = format!("Checked disk {path}");
        return Ok(Counter::at(1, OF).act(Step::Remember(memory), text));
    };
    let disk = world.disk(&begun.path)?;
    if group.is_some() {
        let here = on().all(|device| disk.parts.contains_key(device));
        return if here {
            Ok(Next::Done(format!("Created volume group {DB_GROUP} on {}", disk.path)))
        } else {
            Err(format!("a volume group {DB_GROUP} came to be on another disk meanwhile"))
        };
    }
    if !begun.is_still(disk, world.machine) {
        return Err(format!("disk {} may be another one by now; begin anew", disk.path));
    }
    if disk.is_blank() {
        let text = format!("Making a partition of {}", disk.path);
        return Ok(Counter::at(2, OF).act(Step::Partition(disk.path.clone()), text));
    }
    let ours = disk.signatures.iter().all(|it| matches!(it.as_str(), "gpt" | "PMBR"));
    match disk.parts.keys().collect::<Vec<_>>()[..] {
        [] if ours && disk.mounts.is_empty() => {
            let text = format!("Waiting for the partition of {}", disk.path);
            let in_vain = format!(
                "the kernel did not show the partition of {} within {} s",
                disk.path,
                SHOWN_WITHIN.as_secs()
            );
            Ok(Counter::at(3, OF).wait(SHOWN_WITHIN, text, in_vain))
        }
        [partition] if ours && disk.mounts.is_empty() => {
            let text = format!("Making volume group {DB_GROUP} on {partition}");
            let step = Step::CreateDbGroup { partition: partition.clone() };
            Ok(Counter::at(4, OF).act(step, text))
        }
        _ => {
            let (path, contents) = (&disk.path, disk.contents());
            Err(format!("disk {path} was blank, and now holds {contents}; it is left as it is"))
        }
    }
}
