//! Defining and starting VMs, and reading their consoles.

use std::time::Duration;

use pvc_e2e::lab::{Lab, until};

/// Makes one node the only one with the least memory promised to VMs, and returns its name.
fn least_promised(lab: &Lab) -> String {
    let vms = lab.try_vms().unwrap();
    let promised = |host: &String| -> u64 {
        vms.iter().filter(|vm| vm.node == *host).map(|vm| vm.memory).sum()
    };
    let least = lab.hosts().iter().min_by_key(|host| promised(host)).unwrap().clone();
    for host in lab.hosts().iter().filter(|host| **host != least) {
        lab.define("tick", &format!("on-{host}"), &["--target", host]);
    }
    least
}

#[test]
fn a_defined_vm_starts_on_the_node_that_its_selector_chooses() {
    let lab = Lab::take();
    let best = least_promised(&lab);
    let vm = lab.define("tick", "chosen", &["--node-selector", "memprov"]);
    assert_eq!(lab.vm(&vm).state, "stop", "a new VM is stopped");
    assert_eq!(lab.vm(&vm).node, best);
    lab.pvc(&["vm", "start", &vm]);
    assert_eq!(lab.await_running(&vm), best);
}

#[test]
fn what_a_guest_writes_is_in_its_log_within_a_second() {
    let lab = Lab::take();
    let vm = lab.define("tick", "talks", &[]);
    lab.pvc(&["vm", "start", &vm]);
    let host = lab.await_running(&vm);
    let file = format!("/var/log/libvirt/{vm}.log");
    for _ in 0..3 {
        // A VM is started when QEMU runs: its guest has first to boot.
        let line = until("the guest's words", Duration::from_secs(20), || {
            let tail = lab.on(&host, &["tail", "--lines=2", &file]);
            let line = tail.lines().map(str::trim).find(|line| !line.is_empty());
            line.map(str::to_owned).ok_or(tail)
        });
        until(&format!("`{line}` in the log"), Duration::from_secs(1), || {
            let log = lab.pvc(&["vm", "log", "--lines", "20", &vm]);
            if log.contains(&line) { Ok(()) } else { Err(log) }
        });
    }
}
