//! Ends of VMs: shut down, cut off, restarted, disabled, failed.

use std::time::{Duration, Instant};

use pvc_e2e::lab::{Lab, until};

/// Starts a VM that never answers the power button: there is nothing to boot on it.
fn start_deaf(lab: &Lab, name: &str) -> (String, String) {
    let vm = format!("e2e-{name}");
    let file = lab.definition("tick", &vm, |xml| {
        let (before, rest) = xml.split_once("<disk").expect("it has a disk");
        let (_, after) = rest.split_once("</disk>").expect("which ends");
        format!("{before}{after}").replace("<boot dev='hd'/>", "<boot dev='network'/>")
    });
    lab.define_from(&file, &[]);
    lab.pvc(&["vm", "start", &vm]);
    let host = lab.await_running(&vm);
    (vm, host)
}

/// Starts a VM that powers off when asked to.
fn start(lab: &Lab, name: &str) -> (String, String) {
    let vm = lab.define("tick", name, &[]);
    lab.pvc(&["vm", "start", &vm]);
    let host = lab.await_running(&vm);
    // It hears the power button once it has booted.
    let file = format!("/var/log/libvirt/{vm}.log");
    until("the guest to be heard", Duration::from_secs(30), || {
        let log = lab.on(&host, &["cat", &file]);
        if log.contains("tick") { Ok(()) } else { Err(log) }
    });
    (vm, host)
}

/// How long a guest may take to shut down before it is cut off, as the host is configured.
fn shutdown_timeout(lab: &Lab, host: &str) -> Duration {
    let setting = lab.on(host, &["grep", "vm_shutdown_timeout", "/etc/pvc/pvcnoded.yaml"]);
    let seconds = setting.split(':').nth(1).and_then(|seconds| seconds.trim().parse().ok());
    Duration::from_secs(seconds.expect("it is a number of seconds"))
}

#[test]
fn a_guest_that_listens_shuts_down_in_time() {
    let lab = Lab::take();
    let (vm, host) = start(&lab, "listens");
    lab.pvc(&["vm", "shutdown", "--wait", &vm]);
    assert_eq!(lab.vm(&vm).state, "stop");
    assert!(!lab.running_on(&host).contains(&vm));
}

#[test]
fn a_shutdown_is_aborted_by_starting_the_vm() {
    let lab = Lab::take();
    let (vm, host) = start_deaf(&lab, "deaf");
    let process = lab.qemu(&host, &vm);
    lab.pvc(&["vm", "shutdown", &vm]);
    lab.await_state(&vm, "shutdown");
    lab.pvc(&["vm", "start", &vm]);
    assert_eq!(lab.await_running(&vm), host);
    assert_eq!(lab.qemu(&host, &vm), process, "it ran all the time");
}

#[test]
fn a_guest_that_does_not_shut_down_is_cut_off_when_its_time_is_up() {
    let lab = Lab::take();
    let (vm, host) = start_deaf(&lab, "stubborn");
    let timeout = shutdown_timeout(&lab, &host);
    let asked = Instant::now();
    lab.pvc(&["vm", "shutdown", &vm]);
    until("the VM to be cut off", timeout + Duration::from_secs(10), || {
        let seen = lab.vm(&vm).state;
        if seen == "stop" { Ok(()) } else { Err(seen) }
    });
    assert!(asked.elapsed() + Duration::from_secs(2) >= timeout, "it was given {timeout:?}");
    assert!(!lab.running_on(&host).contains(&vm));
}

#[test]
fn a_restarted_vm_is_a_new_process_on_the_same_node() {
    let lab = Lab::take();
    let (vm, host) = start(&lab, "again");
    let process = lab.qemu(&host, &vm);
    lab.pvc(&["vm", "restart", "--wait", &vm]);
    assert_eq!(lab.await_running(&vm), host);
    assert_ne!(lab.qemu(&host, &vm), process);
}

#[test]
fn a_stopped_vm_is_gone_at_once_and_a_disabled_one_stays_away() {
    let lab = Lab::take();
    let (vm, host) = start_deaf(&lab, "ends");
    lab.pvc(&["vm", "stop", &vm]);
    until("the VM to be gone", Duration::from_secs(5), || {
        let running = lab.running_on(&host);
        if running.contains(&vm) { Err(format!("{running:?}")) } else { Ok(()) }
    });
    assert_eq!(lab.vm(&vm).state, "stop");

    lab.pvc(&["vm", "start", &vm]);
    let host = lab.await_running(&vm);
    lab.pvc(&["vm", "disable", "--force", &vm]);
    until("the VM to be gone", Duration::from_secs(5), || {
        let running = lab.running_on(&host);
        if running.contains(&vm) { Err(format!("{running:?}")) } else { Ok(()) }
    });
    lab.await_state(&vm, "disable");
}

#[test]
fn a_vm_that_cannot_start_fails_with_a_reason_that_says_why() {
    let lab = Lab::take();
    let vm = "e2e-broken";
    let file = lab.definition("tick", vm, |xml| xml.replace("guests/tick.img", "missing.img"));
    lab.define_from(&file, &[]);
    lab.pvc(&["vm", "start", vm]);
    let seen = lab.await_state(vm, "fail");
    assert!(seen.failed_reason.contains("missing.img"), "{}", seen.failed_reason);
    for host in lab.hosts() {
        assert!(!lab.running_on(host).contains(vm));
    }
}
