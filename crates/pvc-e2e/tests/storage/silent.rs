//! A Ceph that does not answer: every request ends with an error that says so, and nothing else suffers.

use std::thread;
use std::time::{Duration, Instant};

use pvc_common::api::{Pool, Volume, VolumeSnapshot};
use pvc_e2e::lab::{Lab, POOL, until};
use serde_json::{Map, Value};

/// Every command of Ceph's has 15 s; the rest is a busy machine's.
const ANSWERED: Duration = Duration::from_secs(28);

/// How long monitors may take to agree once they go on.
const BACK: Duration = Duration::from_secs(60);

/// Monitors that stand still, too many for the rest to decide anything; they go on at the end.
struct Stalled<'a>(&'a Lab);

impl<'a> Stalled<'a> {
    fn begin(lab: &'a Lab) -> Self {
        let stalled = Self(lab);
        stalled.signal("STOP");
        stalled
    }

    fn signal(&self, signal: &str) {
        for host in &self.0.hosts()[..2] {
            let unit = format!("ceph-mon@{host}.service");
            self.0.on(host, &["systemctl", "kill", "--kill-whom=main", "--signal", signal, &unit]);
        }
    }
}

impl Drop for Stalled<'_> {
    fn drop(&mut self) {
        self.signal("CONT");
    }
}

/// When each node last wrote its keepalive, as it says.
fn keepalives(lab: &Lab) -> Vec<String> {
    let dump: Map<String, Value> = serde_json::from_str(&lab.pvc(&["cluster", "backup"])).unwrap();
    let of = |host: &String| dump[&format!("/nodes/{host}/keepalive")].to_string();
    lab.hosts().iter().map(of).collect()
}

/// What asks nothing of Ceph, or what was published, is answered all the same.
const READ: [&[&str]; 4] = [
    &["storage", "status"],
    &["storage", "util"],
    &["storage", "osd", "list"],
    &["storage", "volume", "list"],
];

const CHANGES: [&[&str]; 5] = [
    &["storage", "pool", "add", "e2e-silent", "1"],
    &["storage", "volume", "add", POOL, "e2e-silent", "16M"],
    &["storage", "volume", "resize", POOL, "e2e-kept", "32M"],
    &["storage", "volume", "snapshot", "add", POOL, "e2e-kept", "first"],
    &["storage", "osd", "out", "1"],
];

/// Every request is answered in time; a change with an error that names the storage.
fn ask_everything(lab: &Lab) {
    for words in READ.iter().chain(&CHANGES) {
        let began = Instant::now();
        let said = lab.pvc_within(Duration::from_secs(60), words);
        let took = began.elapsed();
        assert!(took < ANSWERED, "{took:?}: {said:?}");
        if READ.contains(words) {
            assert_eq!(said.code, 0, "{said:?}");
        } else {
            assert!(said.code != 0 && said.code != 124, "{said:?}");
            let why = said.err.to_lowercase();
            assert!(why.contains("storage cluster"), "{said:?}");
        }
    }
}

/// What PVC lists is what Ceph has.
fn agree(lab: &Lab) {
    let host = &lab.hosts()[0];
    let sorted = |mut names: Vec<String>| {
        names.retain(|name| name.starts_with("e2e-"));
        names.sort();
        names
    };
    let real = |words: &[&str]| -> Vec<String> {
        sorted(serde_json::from_value(lab.ceph(host, words)).unwrap())
    };
    let pools: Vec<Pool> = lab.list(&["storage", "pool", "list"]).unwrap();
    let pools = sorted(pools.into_iter().map(|pool| pool.name).collect());
    assert_eq!(pools, ["e2e-silent"]);
    assert_eq!(real(&["ceph", "osd", "pool", "ls"]), pools);
    let volumes: Vec<Volume> = lab.list(&["storage", "volume", "list"]).unwrap();
    assert!(volumes.iter().all(|volume| volume.stats.contains_key("id")), "whole: {volumes:?}");
    let volumes = sorted(volumes.into_iter().map(|volume| volume.name).collect());
    assert_eq!(volumes, ["e2e-kept", "e2e-silent", "e2e-writes"]);
    assert_eq!(real(&["rbd", "ls", POOL]), volumes);
    let snapshots: Vec<VolumeSnapshot> =
        lab.list(&["storage", "volume", "snapshot", "list"]).unwrap();
    let snapshots: Vec<String> = snapshots.into_iter().map(|one| one.snapshot).collect();
    assert_eq!(snapshots, ["first"]);
    let kept = format!("{POOL}/e2e-kept");
    let real = lab.ceph(host, &["rbd", "snap", "ls", &kept]);
    assert_eq!((real.as_array().unwrap().len(), &real[0]["name"]), (1, &"first".into()));
    assert_eq!(lab.ceph(host, &["rbd", "info", &kept])["size"], 32 << 20);
    let map = lab.ceph(host, &["ceph", "osd", "dump"]);
    let osd = map["osds"].as_array().unwrap().iter().find(|osd| osd["osd"] == 1).unwrap();
    assert_eq!(osd["in"], 0);
}

#[test]
fn while_ceph_hangs_every_request_is_answered_nobody_is_fenced_and_what_was_asked_can_be_asked_again()
 {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    let vm = lab.store("writes", &lab.plain_node());
    lab.pvc(&["storage", "volume", "add", POOL, "e2e-kept", "16M"]);
    let vigil = lab.vigil();
    let before = keepalives(&lab);

    let stalled = Stalled::begin(&lab);
    ask_everything(&lab);
    lab.await_lines(&vm, 10);
    let during = keepalives(&lab);
    for ((host, before), during) in lab.hosts().iter().zip(&before).zip(&during) {
        assert_ne!(before, during, "the keepalive of {host}");
    }
    assert!(lab.try_nodes().unwrap().iter().all(|node| node.daemon_state == "run"));
    vigil.is_quiet().unwrap();
    drop(stalled);

    until("Ceph to answer again", BACK, || {
        let said = lab.try_on(&lab.hosts()[0], &["ceph", "--connect-timeout", "5", "osd", "dump"]);
        said.ok().map(drop).map_err(|error| format!("{error:#}"))
    });
    for words in CHANGES {
        lab.pvc(words);
    }
    agree(&lab);
    lab.pvc(&["storage", "osd", "in", "1"]);
    lab.pvc(&["storage", "pool", "remove", "e2e-silent"]);
    lab.await_lines(&vm, 10);
    assert_eq!(lab.boots(&vm).len(), 1, "it ran all the time");
    vigil.is_quiet().unwrap();
    lab.await_storage();
    left_nothing(&lab);
}

/// No program of Ceph's that a daemon has started is left.
fn left_nothing(lab: &Lab) {
    thread::scope(|scope| {
        for host in lab.hosts() {
            scope.spawn(move || {
                until(&format!("{host} to run no program of Ceph's"), BACK, || {
                    let find = ["pgrep", "--list-full", "--parent"];
                    let daemons = ["pvcapid", "pvcnoded"].map(|unit| {
                        let show = ["systemctl", "show", "--property=MainPID", "--value", unit];
                        lab.on(host, &show).trim().to_owned()
                    });
                    let parents = daemons.join(",");
                    let words: Vec<&str> = find.iter().copied().chain([parents.as_str()]).collect();
                    let running = lab.try_on(host, &words).out;
                    let ceph = running.lines().find(|line| {
                        line.contains("bin/ceph ")
                            || line.contains("bin/rbd ")
                            || line.contains(" rbd ")
                    });
                    ceph.map_or(Ok(()), |line| Err(line.to_owned()))
                });
            });
        }
    });
}
