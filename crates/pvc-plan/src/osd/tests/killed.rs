//! The daemon is killed at every step of every task: before it, in the midst of it, after it, and the
//! next one goes on. Whatever happens, nothing is lost that serves (the site fails then), and the
//! end is the same as if nobody had been killed.

use super::adding::add;
use super::grouping::group;
use super::removing::remove;
use super::replacing::replace;
use super::site::*;
use crate::osd::*;

/// What the killed daemon did of its last step.
#[derive(Clone, Copy, Debug)]
enum Killed {
    Before,
    /// Of OSDs that were to be made, so many were.
    Amid(u8),
    /// The disk was written to, and no OSD can be found on it.
    Unlisted,
    /// It was done, but a memory was not kept.
    After,
    /// And a memory was kept.
    Kept,
}

/// Plays a task whose daemon is killed at its n-th step and, as often as `again` says, at each m-th
/// step of the next ones; `None` once there is no n-th step.
fn played(site: &Site, task: &Task, at: usize, how: Killed) -> Option<Site> {
    let (mut site, mut memory) = (site.clone(), None);
    let mut course = Course::new(task.clone(), None);
    let now = began();
    for step in 0.. {
        let Next::Do(stage) = site.next(&mut course, now) else { return None };
        if step == at {
            let amid = matches!(stage.step, Step::Prepare(_));
            match how {
                Killed::Before => {}
                Killed::Amid(whole) if amid => site.act(&stage.step, Some(whole)),
                Killed::Unlisted if amid => site.write_on(disk_of(&stage.step), "ceph_bluestore"),
                Killed::Amid(_) | Killed::Unlisted => {}
                Killed::After | Killed::Kept => site.act(&stage.step, None),
            }
            if let (Step::Remember(kept), Killed::Kept) = (&stage.step, how) {
                memory = Some(kept.to_string());
            }
            break;
        }
        if let Step::Remember(kept) = &stage.step {
            memory = Some(kept.to_string());
        }
        site.act(&stage.step, None);
        site.tell();
    }
    let memory = memory.map(|memory: String| memory.parse().unwrap());
    let (_, said) = site.go_on(&mut Course::new(task.clone(), memory));
    said.unwrap_or_else(|why| panic!("killed {how:?} step {at} of {task:?}: {why}"));
    Some(site)
}

fn disk_of(step: &Step) -> &str {
    match step {
        Step::Prepare(osds) => osds.device.as_str(),
        step => panic!("{step:?}"),
    }
}

/// What matters of a site: what serves where, and what is on the disks.
fn outcome(site: &Site) -> impl PartialEq + std::fmt::Debug + use<> {
    let known: Vec<_> = site
        .map
        .osds
        .iter()
        .map(|(id, it)| (*id, it.up, it.is_in, it.host.clone(), it.weight))
        .collect();
    let recorded: Vec<_> = (0..32)
        .map(OsdId)
        .filter_map(|id| Some((id, site.record(id)?)))
        .map(|(id, it)| (id, it.device.get().cloned(), it.db_device.get().cloned()))
        .collect();
    let disks: Vec<_> = site.disks.values().map(BlockDevice::contents).collect();
    let databases = site.machine.db_group.as_ref().map(|group| group.volumes.clone());
    (known, recorded, disks, databases, site.machine.running.clone())
}

fn survives(site: &Site, task: &Task) -> usize {
    let mut whole = site.clone();
    whole.play(task.clone()).1.unwrap();
    let expected = outcome(&whole);
    let mut kills = 0;
    for how in [
        Killed::Before,
        Killed::Amid(0),
        Killed::Amid(1),
        Killed::Unlisted,
        Killed::After,
        Killed::Kept,
    ] {
        for at in 0.. {
            let Some(site) = played(site, task, at, how) else { break };
            assert_eq!(outcome(&site), expected, "killed {how:?} step {at} of {task:?}");
            kills += 1;
        }
    }
    kills
}

#[test]
fn a_daemon_that_is_killed_anywhere_leaves_what_the_next_one_ends() {
    let plain = Site::new().with_db_group(50);
    let db = Some(DbSize::Size(Bytes(2 * GIB)));
    let mut split = plain.clone();
    split.play(add("/dev/sdb", 2, db)).1.unwrap();
    let kills = [
        survives(&plain, &add("/dev/sdb", 1, None)),
        survives(&plain, &add("/dev/sdb", 2, db)),
        survives(&plain, &remove(0, false)),
        survives(&plain, &remove(0, true)),
        survives(&split, &remove(2, false)),
        survives(&plain, &replace(0, "/dev/sdb")),
        survives(&split, &replace(2, "/dev/sdc")),
        survives(&Site::new(), &group("/dev/sdb")),
    ];
    assert!(kills.iter().all(|kills| *kills >= 15), "{kills:?}");
}
