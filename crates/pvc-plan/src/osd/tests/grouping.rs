//! A volume group for databases, as tables.

use super::site::*;
use crate::osd::*;

pub(super) fn group(path: &str) -> Task {
    Task::AddDbGroup { disk: disk(path) }
}

#[test]
fn a_group_is_made_on_a_partition_of_a_blank_disk() {
    let mut site = Site::new();
    let (stages, said) = site.play(group("/dev/sdb"));
    assert_eq!(said, Ok("Created volume group osd-db on /dev/sdb".to_owned()));
    let texts: Vec<&str> = stages.iter().map(|stage| stage.text.as_str()).collect();
    let made = "Making volume group osd-db on /dev/sdb1";
    assert_eq!(texts, ["Checked disk /dev/sdb", "Making a partition of /dev/sdb", made]);
    let why = "this node has a volume group osd-db already, on /dev/sdb1";
    assert_eq!(site.play(group("/dev/sdc")), (vec![], Err(why.to_owned())));
}

#[test]
fn a_disk_with_something_on_it_gets_no_group() {
    let mut site = Site::new();
    assert_eq!(site.play(group("/dev/sda")).1, Err("disk /dev/sda holds OSD 0".to_owned()));
    site.write_on("/dev/sdb", "ext4");
    let why = "disk /dev/sdb is not blank: it holds ext4";
    assert_eq!(site.play(group("/dev/sdb")).1, Err(why.to_owned()));
}

#[test]
fn a_disk_that_may_be_another_one_by_now_gets_no_group() {
    let mut site = Site::new();
    let mut course = Course::new(group("/dev/sdb"), None);
    let Next::Do(stage) = site.next(&mut course, began()) else { panic!() };
    let Step::Remember(memory) = stage.step else { panic!("{stage:?}") };
    site.machine.boot = "b2".to_owned();
    let (stages, said) = site.go_on(&mut Course::new(group("/dev/sdb"), Some(memory)));
    let why = "disk /dev/sdb may be another one by now; begin anew";
    assert_eq!((stages, said), (vec![], Err(why.to_owned())));
}
