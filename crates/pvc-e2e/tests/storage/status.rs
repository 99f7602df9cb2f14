//! What the primary publishes of Ceph.

use std::time::Duration;

use pvc_e2e::lab::{Lab, until};

/// How long the next publication of figures may take to come.
const FIGURES: Duration = Duration::from_secs(30);

#[test]
fn status_and_use_are_those_that_ceph_tells() {
    let lab = Lab::take();
    lab.await_storage();
    let fsid = lab.on(&lab.hosts()[0], &["ceph", "fsid"]);
    until("the storage's status", FIGURES, || {
        let said = lab.pvc(&["storage", "status"]);
        let whole = said.contains(fsid.trim()) && said.contains("3 up");
        if whole { Ok(()) } else { Err(said) }
    });
    until("the storage's use", FIGURES, || {
        let said = lab.pvc(&["storage", "util"]);
        if said.contains("RAW STORAGE") && said.contains("vms") { Ok(()) } else { Err(said) }
    });
}

#[test]
fn another_primary_goes_on_publishing() {
    let lab = Lab::take();
    lab.await_storage();
    let before = lab.primary();
    let words = ["node", "secondary", "--wait", &before];
    lab.pvc_within(Duration::from_secs(60), &words).ok().unwrap();
    assert_ne!(lab.primary(), before);
    // What is new to Ceph is in the new primary's figures only.
    lab.pvc(&["storage", "pool", "add", "e2e-later", "1"]);
    until("the use of a new pool", FIGURES, || {
        let said = lab.pvc(&["storage", "util"]);
        if said.contains("e2e-later") { Ok(()) } else { Err(said) }
    });
}
