//! VMs on volumes, in a cluster that is well.

use pvc_e2e::lab::{Census, Lab, POOL};

use crate::volume::listed;

#[test]
fn a_vm_on_a_volume_writes_on_while_it_is_migrated_and_brought_home() {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    let home = lab.primary();
    let vm = lab.store("volume", &home);
    assert!(listed(&lab, &vm).is_some());
    let census = Census::begin(&lab);

    lab.pvc(&["vm", "migrate", "--wait", &vm]);
    let away = lab.await_running(&vm);
    assert_ne!(away, home);
    lab.await_lines(&vm, 10);
    lab.pvc(&["vm", "unmigrate", "--wait", &vm]);
    assert_eq!(lab.await_running(&vm), home);
    lab.await_lines(&vm, 10);
    assert_eq!(lab.kept(&vm, &home).len(), 1, "one boot wrote all of it");

    let refused = lab.try_pvc(&["storage", "volume", "remove", POOL, &vm]);
    assert_ne!(refused.code, 0, "a volume in use is not removed: {refused:?}");
    lab.await_lines(&vm, 10);

    lab.pvc(&["vm", "restart", "--wait", &vm]);
    lab.await_boot(&vm, 2);
    assert_eq!(lab.kept(&vm, &home).len(), 2);
    census.end();
}
