//! What takes longer than a request, and what the cluster is told: each verb once, read back from
//! Ceph.

use std::process::Command;
use std::time::Duration;

use pvc_common::api::Benchmark;
use pvc_e2e::lab::{Lab, POOL};
use serde_json::Value;

use crate::volume::{listed, sum};

/// Eight tests of a second, with all around them, on a busy machine.
const BENCHMARK: Duration = Duration::from_secs(180);

/// The formats of images, and the option by which one holds a disk of just that size.
const FORMATS: [(&str, &str); 6] = [
    ("raw", ""),
    ("qcow2", ""),
    ("qed", ""),
    ("vmdk", ""),
    ("vdi", ""),
    // Otherwise it is rounded up to whole cylinders.
    ("vpc", "force_size=on"),
];

/// Ceph's map of its OSDs.
fn map(lab: &Lab) -> Value {
    lab.ceph(&lab.hosts()[0], &["ceph", "osd", "dump"])
}

#[test]
fn flags_are_set_and_taken_away() {
    let lab = Lab::take();
    let is_set = || map(&lab)["flags"].as_str().unwrap().split(',').any(|flag| flag == "noout");
    assert!(!is_set());
    lab.pvc(&["storage", "osd", "set", "noout"]);
    assert!(is_set());
    lab.pvc(&["storage", "osd", "unset", "noout"]);
    assert!(!is_set());
    let refused = lab.try_pvc(&["storage", "osd", "set", "nonsense"]);
    assert_ne!(refused.code, 0, "{refused:?}");
}

#[test]
fn an_osd_is_taken_out_and_put_in_again() {
    let lab = Lab::take();
    lab.await_storage();
    let is_in = || {
        let map = map(&lab);
        let mut all = map["osds"].as_array().unwrap().iter();
        all.find(|osd| osd["osd"] == 1).unwrap()["in"] == 1
    };
    assert!(is_in());
    lab.pvc(&["storage", "osd", "out", "1"]);
    assert!(!is_in());
    lab.pvc(&["storage", "osd", "in", "1"]);
    assert!(is_in());
    lab.await_storage();
}

#[test]
fn an_image_of_any_format_is_uploaded() {
    let lab = Lab::take();
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("image.raw");
    let content: Vec<u8> =
        (0..4_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(&raw, content).unwrap();
    let raw = raw.to_str().unwrap();
    let file = Command::new("sha256sum").arg(raw).output().unwrap().stdout;
    let file = String::from_utf8(file).unwrap();
    let digest = |text: &str| text.split_whitespace().next().unwrap().to_owned();
    for (format, option) in FORMATS {
        let (name, image) = (format!("e2e-{format}"), format!("{raw}.{format}"));
        let words = ["convert", "-f", "raw", "-O", format, "-o", option, raw, &image];
        // An option that is none.
        let words = words.iter().filter(|word| !option.is_empty() || !["-o", ""].contains(word));
        assert!(Command::new("qemu-img").args(words).status().unwrap().success(), "{format}");
        lab.pvc(&["storage", "volume", "add", POOL, &name, "4M"]);
        lab.pvc(&["storage", "volume", "upload", POOL, &name, "--format", format, &image]);
        assert!(listed(&lab, &name).is_some());
        assert_eq!(digest(&sum(&lab, &name)), digest(&file), "{format}");
    }
    let qcow2 = &format!("{raw}.qcow2");
    lab.pvc(&["storage", "volume", "add", POOL, "e2e-small", "1M"]);
    let words = ["storage", "volume", "upload", POOL, "e2e-small", "--format", "qcow2", qcow2];
    let refused = lab.try_pvc(&words);
    assert_ne!(refused.code, 0, "it does not fit: {refused:?}");
    let left = lab.ceph(&lab.hosts()[0], &["rbd", "ls", POOL]);
    let left: Vec<String> = serde_json::from_value(left).unwrap();
    assert!(!left.iter().any(|name| name.starts_with(".unfinished")), "{left:?}");
}

#[test]
fn a_volume_is_plugged_into_a_vm_that_runs_and_unplugged() {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    let home = lab.primary();
    let vm = lab.store("device", &home);
    lab.pvc(&["storage", "volume", "add", POOL, "e2e-extra", "16M"]);
    let disks = || lab.on(&home, &["virsh", "domblklist", &vm]);
    let extra = format!("{POOL}/e2e-extra");
    lab.pvc(&["vm", "volume", "add", &vm, &extra, "--live"]);
    pvc_e2e::lab::until("the disk to be there", Duration::from_secs(30), || {
        let said = disks();
        if said.contains(&extra) { Ok(()) } else { Err(said) }
    });
    lab.pvc(&["vm", "volume", "remove", &vm, &extra, "--live"]);
    lab.await_lines(&vm, 10);
}

#[test]
fn locks_that_are_left_on_a_stopped_vm_are_taken() {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    let home = lab.primary();
    let vm = lab.store("locked", &home);
    // Unlike `stop`, it is over when QEMU is.
    lab.pvc(&["vm", "shutdown", "--wait", &vm]);
    let image = format!("{POOL}/{vm}");
    let locks = || lab.ceph(&home, &["rbd", "lock", "ls", &image]);
    lab.on(&home, &["rbd", "lock", "add", &image, "left"]);
    assert_eq!(locks().as_array().unwrap().len(), 1);
    lab.pvc(&["vm", "flush-locks", &vm]);
    assert_eq!(locks().as_array().unwrap().len(), 0);
    let tasks = lab.pvc(&["cluster", "task"]);
    assert!(!tasks.contains("vm.flush_locks"), "it is over: {tasks}");
}

#[test]
fn a_pool_is_measured() {
    let lab = Lab::take();
    lab.await_storage();
    let name = format!("e2e-{}", uuid::Uuid::new_v4().simple());
    let words = ["storage", "benchmark", "run", POOL, "--name", &name, "--seconds", "1"];
    lab.pvc_within(BENCHMARK, &words).ok().unwrap_or_else(|error| panic!("{error:#}"));
    let all: Vec<Benchmark> = lab.list(&["storage", "benchmark", "list"]).unwrap();
    let found = all.into_iter().find(|one| one.job == name).unwrap();
    let tests = found.benchmark_result.as_object().unwrap();
    assert_eq!(tests.len(), 8);
    for (name, test) in tests {
        let job = &test["jobs"][0];
        let done = job["read"]["total_ios"].as_u64().unwrap()
            + job["write"]["total_ios"].as_u64().unwrap();
        assert!(done > 0, "{name}");
    }
    assert!(lab.pvc(&["storage", "benchmark", "info", &name]).contains("rand_write_4K"));
}
