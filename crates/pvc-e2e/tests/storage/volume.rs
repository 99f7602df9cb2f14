//! `pvc storage volume`: each verb once, read back from Ceph.

use std::sync::atomic::{AtomicU8, Ordering};

use pvc_common::api::Volume;
use pvc_e2e::lab::{Lab, POOL};
use serde_json::Value;

const MIB: u64 = 1 << 20;

/// What PVC lists of a volume.
pub(crate) fn listed(lab: &Lab, name: &str) -> Option<Volume> {
    let volumes: Vec<Volume> = lab.list(&["storage", "volume", "list"]).unwrap();
    volumes.into_iter().find(|volume| volume.pool == POOL && volume.name == name)
}

/// What Ceph says of a volume.
pub(crate) fn real(lab: &Lab, name: &str) -> Value {
    lab.ceph(&lab.hosts()[0], &["rbd", "info", &format!("{POOL}/{name}")])
}

/// The names of all volumes of the pool, by Ceph.
fn names(lab: &Lab) -> Vec<String> {
    let names = lab.ceph(&lab.hosts()[0], &["rbd", "ls", POOL]);
    serde_json::from_value(names).unwrap()
}

/// A checksum of a volume's contents.
pub(crate) fn sum(lab: &Lab, spec: &str) -> String {
    let read = format!("rbd export --no-progress {POOL}/{spec} - | sha256sum");
    lab.on(&lab.hosts()[0], &["bash", "-o", "pipefail", "-c", &read])
}

/// Writes something to a volume that was not there before: the first of its bytes a pattern of
/// their own for each call, because what programs call random they take from the clock's second.
pub(crate) fn write(lab: &Lab, name: &str) {
    static PATTERN: AtomicU8 = AtomicU8::new(1);
    let pattern = PATTERN.fetch_add(1, Ordering::Relaxed);
    let order = format!("write -P {pattern} 0 1M");
    let image = format!("rbd:{POOL}/{name}");
    lab.on(&lab.hosts()[0], &["qemu-io", "-f", "raw", "-c", &order, &image]);
}

#[test]
fn a_volume_is_made_grown_renamed_copied_and_removed() {
    let lab = Lab::take();
    lab.pvc(&["storage", "volume", "add", POOL, "e2e-one", "16M"]);
    let made = real(&lab, "e2e-one");
    assert_eq!(made["size"], 16 * MIB);
    let shown = listed(&lab, "e2e-one").expect("it is listed");
    assert_eq!(shown.stats["id"], made["id"]);
    write(&lab, "e2e-one");

    lab.pvc(&["storage", "volume", "resize", POOL, "e2e-one", "32M"]);
    assert_eq!(real(&lab, "e2e-one")["size"], 32 * MIB);
    assert_eq!(listed(&lab, "e2e-one").unwrap().stats["size"], "32M");
    let refused = lab.try_pvc(&["storage", "volume", "resize", POOL, "e2e-one", "8M"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert_eq!(real(&lab, "e2e-one")["size"], 32 * MIB);

    lab.pvc(&["storage", "volume", "rename", POOL, "e2e-one", "e2e-two"]);
    assert_eq!(real(&lab, "e2e-two")["id"], made["id"], "the same volume by another name");
    assert!(listed(&lab, "e2e-one").is_none() && listed(&lab, "e2e-two").is_some());

    lab.pvc(&["storage", "volume", "clone", POOL, "e2e-two", "e2e-three"]);
    assert_ne!(real(&lab, "e2e-three")["id"], made["id"]);
    assert_eq!(sum(&lab, "e2e-three"), sum(&lab, "e2e-two"));
    assert!(listed(&lab, "e2e-three").is_some());

    lab.pvc(&["storage", "volume", "remove", POOL, "e2e-two"]);
    lab.pvc(&["storage", "volume", "remove", POOL, "e2e-three"]);
    assert!(listed(&lab, "e2e-two").is_none() && listed(&lab, "e2e-three").is_none());
    assert!(!names(&lab).iter().any(|name| name.contains("e2e-")), "{:?}", names(&lab));
}

#[test]
fn a_volume_that_does_not_fit_is_refused() {
    let lab = Lab::take();
    let refused = lab.try_pvc(&["storage", "volume", "add", POOL, "e2e-huge", "1T"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(!names(&lab).contains(&"e2e-huge".to_owned()));
}
