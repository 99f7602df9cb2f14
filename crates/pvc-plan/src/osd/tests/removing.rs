//! OSDs are removed, as tables.

use super::adding::add;
use super::site::*;
use crate::osd::*;

pub(super) fn remove(osd: u32, force: bool) -> Task {
    Task::Remove(Remove { osd: OsdId(osd), force, keep_data: false })
}

fn texts(stages: &[Stage]) -> Vec<String> {
    stages.iter().map(|it| format!("{}/{} {}", it.number, it.of, it.text)).collect()
}

#[test]
fn an_osd_is_emptied_ended_wiped_and_forgotten() {
    let mut site = Site::new();
    let (stages, said) = site.play(remove(0, false));
    let expected = [
        "1/10 Removing OSD 0",
        "2/10 Taking OSD 0 out",
        "4/10 Stopping OSD 0",
        "5/10 Telling the cluster that OSD 0 is down",
        "6/10 Destroying OSD 0",
        "8/10 Wiping /dev/sda",
        "9/10 Forgetting OSD 0",
        "10/10 Removing OSD 0 from the cluster",
    ];
    assert_eq!(texts(&stages), expected);
    assert_eq!(said, Ok("Removed OSD 0".to_owned()));
    assert_eq!(site.record(OsdId(0)), None);
    assert!(!site.map.osds.contains_key(&OsdId(0)));
    assert!(site.disks[&disk("/dev/sda")].is_blank());
}

#[test]
fn data_at_risk_is_waited_for_and_nothing_is_destroyed() {
    let mut site = Site::new();
    site.keeps_data = true;
    let (stages, said) = site.play(remove(0, false));
    assert_eq!(texts(&stages), ["1/10 Removing OSD 0", "2/10 Taking OSD 0 out"]);
    let why = "OSD 0 was not safe to destroy within 60 s: OSD 0 serves data. It is out, and goes \
               on moving its data; remove it again when that is done, or force it";
    assert_eq!(said, Err(why.to_owned()));
    assert!(site.map.osds[&OsdId(0)].up && site.record(OsdId(0)).is_some());
    let (_, said) = site.play(remove(0, true));
    assert_eq!(said, Ok("Removed OSD 0".to_owned()), "by force");
}

#[test]
fn of_osds_that_share_a_disk_the_last_takes_the_disk_with_it() {
    let mut site = Site::new().with_db_group(50);
    let db = Some(DbSize::Size(Bytes(GIB)));
    site.play(add("/dev/sdb", 2, db)).1.unwrap();
    let (stages, _) = site.play(remove(2, false));
    let volumes: Vec<String> = stages
        .iter()
        .filter_map(|stage| match &stage.step {
            Step::RemoveVolume(volume) => Some(volume.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(volumes, ["osd-db/osd-2", &format!("ceph-2/osd-block-{}", fsid(2))]);
    assert!(site.map.osds[&OsdId(3)].up, "the other one serves");
    site.play(remove(3, false)).1.unwrap();
    assert!(site.disks[&disk("/dev/sdb")].is_blank());
    assert_eq!(site.machine.db_group.unwrap().volumes.len(), 0);
}

#[test]
fn the_osd_of_a_disk_that_is_gone_is_removed_all_the_same() {
    let mut site = Site::new();
    site.machine.osds.clear();
    site.disks.remove(&disk("/dev/sda"));
    site.play(remove(0, false)).1.unwrap();
    assert_eq!(site.record(OsdId(0)), None);
    assert!(site.machine.running.is_empty());
}

#[test]
fn an_osd_that_is_not_this_nodes_is_left_alone() {
    let mut site = Site::new();
    let (stages, said) = site.play(remove(1, true));
    assert_eq!((stages, said), (vec![], Err("there is no OSD 1".to_owned())));
    // The number was given to another one in the cluster.
    site.map.osds.get_mut(&OsdId(0)).unwrap().fsid = Some(fsid(0xfe));
    let (stages, said) = site.play(remove(0, true));
    let why = format!(
        "OSD 0 has identity {} in PVC and {} in the cluster: it is not the same",
        fsid(1),
        fsid(0xfe)
    );
    assert_eq!((stages, said), (vec![], Err(why)));
}

#[test]
fn by_force_what_fails_is_a_warning() {
    let mut site = Site::new();
    let mut course = Course::new(remove(0, true), None);
    let now = began();
    let said = loop {
        match site.next(&mut course, now) {
            Next::Do(stage) if matches!(stage.step, Step::Zap(_)) => {
                let failure = Failure::Refused("input/output error".to_owned());
                assert_eq!(course.failed(&stage, failure), Ok(()));
            }
            Next::Do(stage) => site.act(&stage.step, None),
            Next::Done(text) => break text,
            next => panic!("{next:?}"),
        }
        site.tell();
    };
    assert_eq!(said, "Removed OSD 0");
    assert_eq!(course.warnings(), ["Wiping /dev/sda: input/output error"]);
}
