//! VMs on volumes, in a cluster that is well.

use std::time::Duration;

use pvc_e2e::lab::{Census, Lab, POOL, until};

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

#[test]
fn a_vm_that_runs_sees_its_volume_grow_and_writes_on() {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    let node = lab.plain_node();
    let vm = lab.store("grows", &node);
    // As its QEMU says, which is what the guest is told.
    let seen = || {
        let said = lab.on(&node, &["virsh", "domblkinfo", &vm, "vda"]);
        let line = said.lines().find(|line| line.starts_with("Capacity:"));
        line.and_then(|line| line.split_whitespace().nth(1)).map(str::to_owned).unwrap()
    };
    assert_eq!(seen(), (8 << 20).to_string());
    let process = lab.qemu(&node, &vm);
    lab.pvc(&["storage", "volume", "resize", POOL, &vm, "24M"]);
    let grown = (24 << 20).to_string();
    until("the guest to see it", Duration::from_secs(60), || {
        let size = seen();
        if size == grown { Ok(()) } else { Err(size) }
    });
    lab.await_lines(&vm, 10);
    assert_eq!(lab.qemu(&node, &vm), process, "it ran all the time");
    assert_eq!(lab.kept(&vm, &node).len(), 1);
}
