//! Locks of QEMUs that were killed.

use std::time::{Duration, Instant};

use pvc_e2e::lab::{Census, Lab, POOL};

/// For half a minute Ceph honours the lock of a client that died. A VM that needs less did not wait for
/// that.
const HONOURED: Duration = Duration::from_secs(28);

/// Who holds a VM's volume: client, and where it talks from.
pub(crate) fn holders(lab: &Lab, vm: &str, host: &str) -> Vec<(String, String)> {
    let locks = lab.ceph(host, &["rbd", "lock", "ls", &format!("{POOL}/{vm}")]);
    let text = |lock: &serde_json::Value, key: &str| lock[key].as_str().unwrap().to_owned();
    let all = locks.as_array().unwrap().iter();
    all.map(|lock| (text(lock, "locker"), text(lock, "address"))).collect()
}

#[test]
fn a_vm_whose_qemu_was_killed_writes_again_on_its_node_without_waiting_for_its_old_lock() {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    let node = lab.plain_node();
    let vm = lab.store("killed", &node);
    let census = Census::begin(&lab);
    let before = holders(&lab, &vm, &node);
    let [(_, address)] = &before[..] else { panic!("its QEMU holds it alone: {before:?}") };
    assert!(address.starts_with(&format!("{}:", lab.node_address(&node))), "{before:?}");

    let process = lab.qemu(&node, &vm);
    let killed = Instant::now();
    lab.on(&node, &["kill", "-KILL", &process]);
    lab.await_boot(&vm, 2);
    let took = killed.elapsed();
    assert!(took < HONOURED, "{took:?}");
    assert_eq!(lab.await_running(&vm), node);
    assert_ne!(lab.qemu(&node, &vm), process);
    lab.await_lines(&vm, 10);
    assert_eq!(lab.kept(&vm, &node).len(), 2);

    let after = holders(&lab, &vm, &node);
    assert_eq!(after.len(), 1, "the new one alone: {after:?}");
    assert_ne!(after, before);
    let map = lab.ceph(&node, &["ceph", "osd", "dump"]);
    let listed = map["blocklist"].as_object().unwrap();
    assert!(listed.contains_key(address), "the killed one is shut out for itself: {listed:?}");
    assert!(!listed.contains_key(&format!("{}:0/0", lab.node_address(&node))), "{listed:?}");
    census.end();
}
