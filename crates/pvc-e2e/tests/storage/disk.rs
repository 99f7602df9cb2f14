//! OSDs on the hosts' spare disks: each verb once, read back with Ceph's own tools and the host's.

use std::collections::BTreeSet;
use std::time::Duration;

use pvc_common::api::Osd;
use pvc_e2e::lab::{Lab, POOL, SPARE_DISKS, Said, until};
use serde_json::Value;

use crate::osd::osds;
use crate::volume::{sum, write};

/// A dozen of Ceph's programs, a minute until it is said that data is at risk, on a busy machine.
const TASK: Duration = Duration::from_secs(240);

/// How long Ceph may take to notice that an OSD came up or went down.
const NOTICED: Duration = Duration::from_secs(60);

/// How long a host may take to boot, and its daemon to start what was not started with it.
const BACK: Duration = Duration::from_secs(120);

/// The share of the lab's own OSDs: CRUSH hardly finds one beside another that is far larger.
const WEIGHT: [&str; 2] = ["--weight", "0.008"];

const FIRST: &str = SPARE_DISKS[0];
const SECOND: &str = SPARE_DISKS[1];

/// Runs a task about OSDs.
fn try_osd(lab: &Lab, words: &[&str]) -> Said {
    let all: Vec<&str> = ["storage", "osd"].iter().chain(words).copied().collect();
    lab.pvc_within(TASK, &all)
}

fn osd(lab: &Lab, words: &[&str]) -> String {
    try_osd(lab, words).ok().unwrap_or_else(|error| panic!("{error:#}"))
}

/// Adds an OSD on a node's spare disk; its number.
fn add(lab: &Lab, node: &str, disk: &str) -> String {
    let before: BTreeSet<String> = osds(lab).into_iter().map(|osd| osd.id).collect();
    osd(lab, &[&["add", node, disk][..], &WEIGHT].concat());
    let mut new = osds(lab).into_iter().map(|osd| osd.id).filter(|id| !before.contains(id));
    let id = new.next().expect("it is listed");
    assert_eq!(new.next(), None);
    id
}

/// What PVC lists of an OSD.
fn listed(lab: &Lab, id: &str) -> Option<Osd> {
    osds(lab).into_iter().find(|osd| osd.id == id)
}

/// What Ceph's map says of an OSD; null of one that is not there.
fn mapped(lab: &Lab, id: &str) -> Value {
    let host = lab.hosts().iter().find(|host| lab.is_on(host)).unwrap();
    let dump = lab.ceph(host, &["ceph", "osd", "dump"]);
    let all = dump["osds"].as_array().unwrap();
    all.iter().find(|osd| osd["osd"].as_u64() == id.parse().ok()).cloned().unwrap_or_default()
}

/// The host that Ceph counts an OSD to.
fn place(lab: &Lab, id: &str) -> String {
    let found = lab.ceph(&lab.hosts()[0], &["ceph", "osd", "find", id]);
    found["crush_location"]["host"].as_str().unwrap().to_owned()
}

fn await_up(lab: &Lab, id: &str, up: bool, limit: Duration) {
    until(&format!("OSD {id} to be {}", if up { "up" } else { "down" }), limit, || {
        let seen = mapped(lab, id);
        if seen["up"] == u64::from(up) { Ok(()) } else { Err(seen.to_string()) }
    });
}

/// What lies on a disk of a host, as `wipefs` tells it: nothing on a blank one.
fn signatures(lab: &Lab, host: &str, disk: &str) -> String {
    let words = ["wipefs", "--noheadings", "--output", "TYPE", disk];
    lab.on(host, &words).trim().to_owned()
}

/// A volume with data; its checksum.
fn filled(lab: &Lab, name: &str) -> String {
    lab.pvc(&["storage", "volume", "add", POOL, name, "64M"]);
    write(lab, name);
    sum(lab, name)
}

/// How many objects are kept on an OSD.
fn kept_on(lab: &Lab, id: &str) -> u64 {
    let all = lab.ceph(&lab.hosts()[0], &["ceph", "pg", "ls-by-osd", id]);
    let groups = all["pg_stats"].as_array().unwrap().iter();
    groups.map(|group| group["stat_sum"]["num_objects"].as_u64().unwrap()).sum()
}

/// Waits for an OSD to keep data: Ceph's figures are some seconds old.
fn await_data(lab: &Lab, id: &str) {
    until("data to be kept there", NOTICED, || match kept_on(lab, id) {
        0 => Err("none".to_owned()),
        _ => Ok(()),
    });
}

#[test]
fn an_osd_is_made_of_a_disk_takes_data_and_is_found_again() {
    let lab = Lab::take();
    lab.await_storage();
    let node = lab.hosts()[2].clone();
    let id = add(&lab, &node, FIRST);
    let (shown, real) = (listed(&lab, &id).unwrap(), mapped(&lab, &id));
    assert_eq!((&real["up"], &real["in"]), (&1.into(), &1.into()));
    assert_eq!(real["uuid"], shown.fsid.as_str());
    assert_eq!((place(&lab, &id), &shown.node), (node.clone(), &node));
    let before = filled(&lab, "e2e-data");
    await_data(&lab, &id);
    lab.await_storage();

    // The node was installed anew: nothing on it knows of the OSD, whose disk is there.
    let unit = format!("ceph-osd@{id}");
    lab.on(&node, &["systemctl", "stop", &unit]);
    lab.on(&node, &["umount", &format!("/var/lib/ceph/osd/ceph-{id}")]);
    await_up(&lab, &id, false, NOTICED);
    let wrong = try_osd(&lab, &["refresh", &id, SECOND]);
    assert!(wrong.code != 0 && wrong.err.contains("holds no OSD"), "{wrong:?}");
    assert_eq!(mapped(&lab, &id)["up"], 0);
    osd(&lab, &["refresh", &id, FIRST]);
    await_up(&lab, &id, true, NOTICED);
    assert_eq!(mapped(&lab, &id)["uuid"], real["uuid"], "it is the same");
    lab.await_storage();
    assert_eq!(sum(&lab, "e2e-data"), before);
}

#[test]
fn an_osd_gets_another_disk_and_keeps_its_number_and_all_data() {
    let lab = Lab::take();
    lab.await_storage();
    let node = lab.hosts()[1].clone();
    let id = add(&lab, &node, FIRST);
    let before = filled(&lab, "e2e-data");
    let (shown, real) = (listed(&lab, &id).unwrap(), mapped(&lab, &id));
    for (disk, says) in [("/dev/nothing", "there is no disk"), (FIRST, "holds OSD")] {
        let refused = try_osd(&lab, &["replace", &id, disk]);
        assert!(refused.code != 0 && refused.err.contains(says), "{refused:?}");
        assert_eq!(mapped(&lab, &id)["uuid"], real["uuid"]);
        assert_eq!(mapped(&lab, &id)["in"], 1);
    }
    osd(&lab, &["replace", &id, SECOND]);
    let (now, new) = (listed(&lab, &id).unwrap(), mapped(&lab, &id));
    assert_eq!((&new["up"], &new["in"]), (&1.into(), &1.into()));
    assert_ne!(new["uuid"], real["uuid"], "it has another identity");
    assert_eq!(new["uuid"], now.fsid.as_str());
    assert_ne!(now.device, shown.device);
    assert_eq!(place(&lab, &id), node);
    assert_eq!(signatures(&lab, &node, FIRST), "", "the old disk is wiped");
    assert_eq!(signatures(&lab, &node, SECOND), "ceph_bluestore");
    lab.await_storage();
    assert_eq!(sum(&lab, "e2e-data"), before);
}

#[test]
fn an_osd_is_removed_when_no_data_is_at_risk_or_by_force() {
    let lab = Lab::take();
    lab.await_storage();
    let node = lab.hosts()[0].clone();
    let id = add(&lab, &node, FIRST);
    let before = filled(&lab, "e2e-data");
    await_data(&lab, &id);
    lab.await_storage();
    // Which cannot get elsewhere.
    for flag in ["nobackfill", "norecover"] {
        osd(&lab, &["set", flag]);
    }
    let refused = try_osd(&lab, &["remove", &id]);
    assert!(refused.code != 0 && refused.err.contains("was not safe to destroy"), "{refused:?}");
    assert_eq!(mapped(&lab, &id)["in"], 0);
    lab.on(&node, &["systemctl", "is-active", &format!("ceph-osd@{id}")]);
    assert_eq!(signatures(&lab, &node, FIRST), "ceph_bluestore");
    assert_eq!(sum(&lab, "e2e-data"), before);

    osd(&lab, &["remove", &id, "--force"]);
    assert_is_gone(&lab, &node, &id);
    for flag in ["nobackfill", "norecover"] {
        osd(&lab, &["unset", flag]);
    }
    lab.await_storage();
    assert_eq!(sum(&lab, "e2e-data"), before, "two other copies were there");

    let id = add(&lab, &node, FIRST);
    lab.await_storage();
    osd(&lab, &["remove", &id]);
    assert_is_gone(&lab, &node, &id);
    lab.await_storage();
    assert_eq!(sum(&lab, "e2e-data"), before);
}

/// Sees that nothing is left of an OSD that was on a node's first spare disk.
#[track_caller]
fn assert_is_gone(lab: &Lab, node: &str, id: &str) {
    assert!(listed(lab, id).is_none());
    assert_eq!(mapped(lab, id), Value::Null);
    let auth = lab.try_on(node, &["ceph", "auth", "get", &format!("osd.{id}")]);
    assert!(auth.code != 0, "its key is gone: {auth:?}");
    assert_eq!(lab.try_on(node, &["systemctl", "is-active", &format!("ceph-osd@{id}")]).code, 3);
    assert_eq!(signatures(lab, node, FIRST), "", "its disk is blank");
    let mounts = lab.on(node, &["cat", "/proc/mounts"]);
    assert!(!mounts.contains(&format!("/var/lib/ceph/osd/ceph-{id} ")), "{mounts}");
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_is_half_done() {
    let lab = Lab::take();
    lab.await_storage();
    let node = lab.hosts()[1].clone();
    lab.on(&node, &["mkswap", SECOND]);
    let all = || {
        let real = lab.ceph(&node, &["ceph", "osd", "tree"]);
        let known = osds(&lab).into_iter().map(|osd| (osd.id, osd.node, osd.device));
        let disks = SPARE_DISKS.map(|disk| signatures(&lab, &node, disk));
        (real, known.collect::<Vec<_>>(), disks)
    };
    let before = all();
    let takes_lvm = "LVM, which is not used on this node";
    for (words, says) in [
        (&["add", "nowhere", FIRST][..], "no node 'nowhere'"),
        (&["add", &node, "/dev/nothing"], "there is no disk /dev/nothing on this node"),
        (&["add", &node, "detect:SAMSUNG:800GB:0"], "detect:SAMSUNG:800GB:0"),
        (&["add", &node, SECOND], "is not blank: it holds swap"),
        (&["add", &node, FIRST, "--osd-count", "2"], takes_lvm),
        (&["add", &node, FIRST, "--ext-db-ratio", "0.05"], takes_lvm),
        (&["add", &node, FIRST, "--ext-db-size", "1G"], takes_lvm),
        (&["create-db-vg", &node, FIRST], takes_lvm),
        (&["refresh", "1", FIRST], "holds no OSD, not OSD 1"),
        (&["refresh", "77", FIRST], "not found"),
        (&["replace", "1", SECOND], "is not blank: it holds swap"),
        (&["replace", "77", FIRST], "not found"),
        (&["remove", "77"], "not found"),
        (&["remove", "one"], "invalid"),
    ] {
        let refused = try_osd(&lab, words);
        assert!(refused.code != 0 && refused.err.contains(says), "{words:?}: {refused:?}");
        assert_eq!(all(), before, "{words:?}");
    }
    lab.on(&node, &["wipefs", "--all", SECOND]);
}

#[test]
fn an_osd_is_up_again_after_its_host_lost_its_power() {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    let node = lab.plain_node();
    let id = add(&lab, &node, FIRST);
    let before = filled(&lab, "e2e-data");
    await_data(&lab, &id);
    lab.await_storage();
    lab.cut(&node);
    await_up(&lab, &id, false, NOTICED);
    lab.mend();
    await_up(&lab, &id, true, BACK);
    lab.await_node(&node, BACK);
    lab.await_storage();
    assert_eq!(sum(&lab, "e2e-data"), before);

    // What a person stopped stays so, although the daemon is started anew.
    lab.on(&node, &["systemctl", "stop", &format!("ceph-osd@{id}")]);
    await_up(&lab, &id, false, NOTICED);
    lab.on(&node, &["systemctl", "restart", "pvcnoded"]);
    lab.await_node(&node, BACK);
    until("the OSDs to be looked at", BACK, || {
        let log = lab.on(&node, &["journalctl", "--boot", "--unit", "pvcnoded", "--no-pager"]);
        if log.matches("all OSDs of this machine were started").count() > 1 {
            Ok(())
        } else {
            Err(log)
        }
    });
    assert_eq!(mapped(&lab, &id)["up"], 0);
}
