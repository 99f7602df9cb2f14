//! OSDs are added, as tables.

use super::site::*;
use crate::osd::*;

pub(super) fn add(path: &str, count: u8, db: Option<DbSize>) -> Task {
    Task::Add(Add { disk: disk(path), weight: weight("0.5"), db, count })
}

fn texts(stages: &[Stage]) -> Vec<String> {
    stages.iter().map(|it| format!("{}/{} {}", it.number, it.of, it.text)).collect()
}

#[test]
fn an_osd_is_made_placed_started_recorded_and_told_of() {
    let mut site = Site::new();
    let (stages, said) = site.play(add("/dev/sdb", 1, None));
    let expected = [
        "1/7 Checked disk /dev/sdb",
        "2/7 Making an OSD on /dev/sdb",
        "3/7 Counting OSD 2 to hv1 with weight 0.5",
        "4/7 Starting OSD 2",
        "5/7 Recording OSD 2",
    ];
    assert_eq!(texts(&stages), expected);
    assert_eq!(said, Ok("Added OSD 2 on /dev/sdb".to_owned()));
    let record = site.record(OsdId(2)).unwrap();
    assert_eq!(record.node.get(), Some(&Some("hv1".parse().unwrap())));
    assert_eq!(record.device.get().unwrap(), "/dev/sdb");
    assert_eq!((record.db_device.get(), record.is_split.copied()), (Some(&None), Some(false)));
    assert_eq!(record.lv.get().unwrap(), &format!("osd-block-{}", fsid(2)));
}

#[test]
fn osds_that_share_a_disk_have_databases_of_a_part_of_their_own_size() {
    let mut site = Site::new().with_db_group(50);
    let ratio = DbSize::Ratio("0.1".parse().unwrap());
    let (stages, said) = site.play(add("/dev/sdb", 2, Some(ratio)));
    assert_eq!(said, Ok("Added OSD 2, 3 on /dev/sdb".to_owned()));
    let numbers: Vec<u32> = stages.iter().map(|stage| stage.number).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    assert_eq!(stages[0].of, 12);
    let group = site.machine.db_group.as_ref().unwrap();
    let size = Bytes(5 * GIB);
    assert_eq!(group.volumes, [("osd-2".to_owned(), size), ("osd-3".to_owned(), size)].into());
    let record = site.record(OsdId(3)).unwrap();
    assert_eq!(record.db_device.get().unwrap().as_deref(), Some("osd-db/osd-3"));
    assert_eq!(record.is_split.copied(), Some(true));
}

fn refused(site: &mut Site, task: Task, why: &str) {
    let (stages, said) = site.play(task);
    assert_eq!((stages, said), (vec![], Err(why.to_owned())));
}

#[test]
fn a_disk_that_is_not_blank_is_left_alone() {
    for signature in ["gpt", "ext4", "LVM2_member", "ceph_bluestore"] {
        let mut site = Site::new();
        site.write_on("/dev/sdb", signature);
        let why = format!("disk /dev/sdb is not blank: it holds {signature}");
        refused(&mut site, add("/dev/sdb", 1, None), &why);
    }
    let mut site = Site::new();
    refused(&mut site, add("/dev/sda", 1, None), "disk /dev/sda holds OSD 0");
    refused(&mut site, add("/dev/sdx", 1, None), "there is no disk /dev/sdx on this node");
    site.play(add("/dev/sdb", 1, None)).1.unwrap();
    refused(&mut site, add("/dev/sdb", 1, None), "disk /dev/sdb holds OSD 2");
}

#[test]
fn what_cannot_be_made_is_refused_before_anything_is_done() {
    let mut site = Site::new();
    let db = Some(DbSize::Size(Bytes(30 * GIB)));
    let why = "this node has no volume group osd-db for databases; create it first";
    refused(&mut site, add("/dev/sdb", 1, db), why);
    let mut site = Site::new().with_db_group(50);
    let why = "the databases take 60G, and volume group osd-db has 50G free";
    refused(&mut site, add("/dev/sdb", 2, db), why);
    refused(&mut site, add("/dev/sdb", 0, None), "0 OSDs on a disk: from 1 to 16 are possible");
    site.machine.lvm = false;
    let why = "several OSDs on a disk takes LVM, which is not used on this node";
    refused(&mut site, add("/dev/sdb", 2, None), why);
    let why = "a database elsewhere takes LVM, which is not used on this node";
    refused(&mut site, add("/dev/sdb", 1, db), why);
}

/// Begins to add on `/dev/sdb`, and has something happen to the disk before it is gone on with.
fn begun(change: impl FnOnce(&mut Site)) -> (Vec<Stage>, Result<String, String>) {
    begun_on(Site::new(), change)
}

fn begun_on(
    mut site: Site,
    change: impl FnOnce(&mut Site),
) -> (Vec<Stage>, Result<String, String>) {
    let mut course = Course::new(add("/dev/sdb", 1, None), None);
    let Next::Do(first) = site.next(&mut course, began()) else { panic!() };
    let Step::Remember(memory) = first.step else { panic!("{first:?}") };
    change(&mut site);
    site.go_on(&mut Course::new(add("/dev/sdb", 1, None), Some(memory)))
}

#[test]
fn a_disk_that_somebody_else_took_meanwhile_is_left_alone() {
    let (stages, said) = begun(|site| site.write_on("/dev/sdb", "ext4"));
    let why = "disk /dev/sdb was blank, and now holds ext4; it is left as it is";
    assert_eq!((stages, said), (vec![], Err(why.to_owned())));
    let (stages, said) = begun(|site| {
        // The disk of OSD 0, which serves, has become the one of that name.
        site.machine.osds[0].device = disk("/dev/sdb");
        site.machine.osds[0].whole = false;
        site.write_on("/dev/sdb", "LVM2_member");
    });
    let why = "disk /dev/sdb holds OSD 0, which is in service";
    assert_eq!((stages, said), (vec![], Err(why.to_owned())));
    let (stages, said) = begun(|site| {
        site.machine.boot = "b2".to_owned();
        site.write_on("/dev/sdb", "LVM2_member");
    });
    let why = "disk /dev/sdb was blank, and now holds LVM2_member; it is left as it is";
    assert_eq!((stages, said), (vec![], Err(why.to_owned())));
    let mut unknown = Site::new();
    unknown.machine.boot.clear();
    let (stages, said) = begun_on(unknown, |site| site.write_on("/dev/sdb", "LVM2_member"));
    assert_eq!((stages, said), (vec![], Err(why.to_owned())), "no run is known to be the same");
}

#[test]
fn an_osd_of_which_nothing_is_told_is_not_waited_for_for_ever() {
    let mut site = Site::new();
    site.silent = true;
    let (_, said) = site.play(add("/dev/sdb", 1, None));
    let why = "OSD 2 runs, but nothing was told of it within 120 s; see the primary's log";
    assert_eq!(said, Err(why.to_owned()));
}

#[test]
fn a_step_without_effect_is_not_done_for_ever() {
    let site = Site::new();
    let mut course = Course::new(add("/dev/sdb", 1, None), None);
    let now = began();
    for _ in 0..4 {
        assert!(matches!(site.next(&mut course, now), Next::Do(_)));
    }
    let Next::Fail(why) = site.next(&mut course, now) else { panic!() };
    let expected = "Making an OSD on /dev/sdb: done 3 times, and it has no effect";
    assert_eq!(why, expected);
}

/// As where the kernel and `ceph-volume` call a disk by two names.
#[test]
fn steps_that_undo_each_other_do_not_go_on_for_ever() {
    let mut site = Site::new();
    let mut course = Course::new(add("/dev/sdb", 1, None), None);
    let now = began();
    let why = loop {
        match site.next(&mut course, now) {
            Next::Do(stage) => site.act(&stage.step, None),
            Next::Fail(why) => break why,
            next => panic!("{next:?}"),
        }
        for osd in site.machine.osds.iter_mut().filter(|osd| osd.device == disk("/dev/sdb")) {
            osd.device = disk("/dev/dm-3");
        }
    };
    assert_eq!(why, "Making an OSD on /dev/sdb: done 3 times, and it has no effect");
}

#[test]
fn what_does_not_answer_is_asked_again_and_what_refuses_is_not() {
    let site = Site::new();
    let now = began();
    let mut course = Course::new(add("/dev/sdb", 1, None), None);
    site.next(&mut course, now);
    let unknown = || Failure::Unknown("no answer".to_owned());
    for _ in 0..2 {
        let Next::Do(stage) = site.next(&mut course, now) else { panic!() };
        assert_eq!(course.failed(&stage, unknown()), Ok(()));
    }
    let Next::Do(stage) = site.next(&mut course, now) else { panic!() };
    let why = Err("Making an OSD on /dev/sdb: no answer".to_owned());
    assert_eq!(course.failed(&stage, unknown()), why);
    let mut course = Course::new(add("/dev/sdb", 1, None), None);
    let Next::Do(stage) = site.next(&mut course, now) else { panic!() };
    let why = Err("Checked disk /dev/sdb: no".to_owned());
    assert_eq!(course.failed(&stage, Failure::Refused("no".to_owned())), why);
}
