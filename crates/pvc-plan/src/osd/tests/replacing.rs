//! OSDs get another disk, or are found again, as tables.

use super::adding::add;
use super::site::*;
use crate::osd::*;

pub(super) fn replace(osd: u32, path: &str) -> Task {
    Task::Replace(Replace { osd: OsdId(osd), disk: disk(path), weight: None, db: None })
}

fn refresh(osd: u32, path: &str) -> Task {
    Task::Refresh(Refresh { osd: OsdId(osd), disk: disk(path) })
}

#[test]
fn all_osds_of_a_disk_move_to_another_and_keep_their_numbers() {
    let mut site = Site::new().with_db_group(50);
    let db = Some(DbSize::Size(Bytes(2 * GIB)));
    site.play(add("/dev/sdb", 2, db)).1.unwrap();
    let (stages, said) = site.play(replace(3, "/dev/sdc"));
    assert_eq!(said, Ok("Replaced OSD 2, 3, now on /dev/sdc".to_owned()));
    let numbers: Vec<u32> = stages.iter().map(|stage| stage.number).collect();
    assert!(numbers.is_sorted() && numbers.iter().all(|it| *it <= stages[0].of), "{numbers:?}");
    assert!(site.disks[&disk("/dev/sdb")].is_blank());
    for id in [OsdId(2), OsdId(3)] {
        let (known, record) = (&site.map.osds[&id], site.record(id).unwrap());
        assert!(known.up && known.is_in);
        assert_eq!(known.weight, weight("0.5"), "as before");
        assert_eq!(record.device.get().unwrap(), "/dev/sdc");
        assert_eq!(record.fsid.get(), known.fsid.map(|fsid| fsid.to_string()).as_ref());
    }
    let size = Bytes(2 * GIB);
    let volumes = [("osd-2".to_owned(), size), ("osd-3".to_owned(), size)];
    assert_eq!(site.machine.db_group.unwrap().volumes, volumes.into());
}

#[test]
fn a_dead_disk_is_replaced_as_well() {
    let mut site = Site::new();
    site.machine.osds.clear();
    site.machine.running.clear();
    site.disks.remove(&disk("/dev/sda"));
    site.map.osds.get_mut(&OsdId(0)).unwrap().up = false;
    site.play(replace(0, "/dev/sdb")).1.unwrap();
    assert!(site.map.osds[&OsdId(0)].up);
}

#[test]
fn data_at_risk_keeps_its_disk() {
    let mut site = Site::new();
    site.keeps_data = true;
    let (stages, said) = site.play(replace(0, "/dev/sdb"));
    assert_eq!(stages.last().unwrap().step, Step::TakeOut(OsdId(0)));
    assert!(
        said.unwrap_err().starts_with("OSD 0 was not safe to destroy within 60 s: OSD 0 serves")
    );
    let (stages, said) = site.play(replace(0, "/dev/sda"));
    assert_eq!((stages, said), (vec![], Err("disk /dev/sda holds OSD 0".to_owned())));
}

#[test]
fn an_osd_is_found_on_the_disk_that_it_moved_to() {
    let mut site = Site::new();
    site.machine.osds[0].device = disk("/dev/sdc");
    site.machine.running.clear();
    site.map.osds.get_mut(&OsdId(0)).unwrap().up = false;
    let (stages, said) = site.play(refresh(0, "/dev/sdc"));
    assert_eq!(said, Ok("Found OSD 0 on /dev/sdc".to_owned()));
    let texts: Vec<&str> = stages.iter().map(|stage| stage.text.as_str()).collect();
    assert_eq!(texts, ["Starting OSD 0", "Recording where OSD 0 is"]);
    assert_eq!(site.record(OsdId(0)).unwrap().device.get().unwrap(), "/dev/sdc");
    let (stages, _) = site.play(refresh(0, "/dev/sdc"));
    assert_eq!(stages, [], "all is well already");
}

#[test]
fn what_is_not_that_osd_is_not_started() {
    let mut site = Site::new();
    let why = "disk /dev/sdb holds no OSD, not OSD 0";
    assert_eq!(site.play(refresh(0, "/dev/sdb")), (vec![], Err(why.to_owned())));
    site.machine.osds[0].fsid = fsid(0xfe);
    let why = format!(
        "OSD 0 has identity {} on the disk and {} in PVC: it is not the same",
        fsid(0xfe),
        fsid(1)
    );
    assert_eq!(site.play(refresh(0, "/dev/sda")), (vec![], Err(why)));
    site.machine.osds[0].cluster = fsid(0xcc);
    let why = format!("OSD 0 on the disk is of another cluster, {}", fsid(0xcc));
    assert_eq!(site.play(refresh(0, "/dev/sda")), (vec![], Err(why)));
}
