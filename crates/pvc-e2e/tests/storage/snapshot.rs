//! `pvc storage volume snapshot`: each verb once, read back from Ceph.

use pvc_common::api::VolumeSnapshot;
use pvc_e2e::lab::{Lab, POOL};
use serde_json::Value;

use crate::volume::{sum, write};

const VOLUME: &str = "e2e-snapped";

/// The names of the volume's snapshots, by PVC and by Ceph.
fn names(lab: &Lab) -> [Vec<String>; 2] {
    let listed: Vec<VolumeSnapshot> = lab.list(&["storage", "volume", "snapshot", "list"]).unwrap();
    let listed = listed.into_iter().filter(|one| one.volume == VOLUME);
    let real = lab.ceph(&lab.hosts()[0], &["rbd", "snap", "ls", &format!("{POOL}/{VOLUME}")]);
    let real = real.as_array().unwrap().iter();
    let real = real.filter_map(|one| one["name"].as_str().map(str::to_owned));
    [listed.map(|one| one.snapshot).collect(), real.collect()]
}

#[test]
fn a_snapshot_is_made_renamed_rolled_back_to_and_removed() {
    let lab = Lab::take();
    let snapshot = |verb: &str, further: &[&str]| {
        let words = ["storage", "volume", "snapshot", verb, POOL, VOLUME];
        let all: Vec<&str> = words.iter().chain(further).copied().collect();
        lab.pvc(&all)
    };
    lab.pvc(&["storage", "volume", "add", POOL, VOLUME, "16M"]);
    write(&lab, VOLUME);
    let before = sum(&lab, VOLUME);

    snapshot("add", &["first"]);
    assert_eq!(names(&lab), [["first"], ["first"]]);
    snapshot("rename", &["first", "second"]);
    assert_eq!(names(&lab), [["second"], ["second"]]);

    write(&lab, VOLUME);
    assert_ne!(sum(&lab, VOLUME), before);
    assert_eq!(sum(&lab, &format!("{VOLUME}@second")), before);
    snapshot("rollback", &["second"]);
    assert_eq!(sum(&lab, VOLUME), before, "it is what it was");

    snapshot("remove", &["second"]);
    assert_eq!(names(&lab), [Vec::<String>::new(), Vec::new()]);
    snapshot("add", &["third"]);
    lab.pvc(&["storage", "volume", "remove", POOL, VOLUME]);
    let left: Value = lab.ceph(&lab.hosts()[0], &["rbd", "ls", POOL]);
    assert!(!left.as_array().unwrap().contains(&VOLUME.into()), "{left}");
}
