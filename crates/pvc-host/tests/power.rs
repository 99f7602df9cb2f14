//! Cutting the power: of a machine in memory, and of a container that this test makes.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use pvc_host::SelfPower;
use pvc_host::fake::FakeHost;
use pvc_host::real::KernelPower;

/// Set for the copy of this program that runs in a container; holds the name of the process
/// namespace that the container must not be in.
const OUTSIDE: &str = "PVC_TEST_OUTSIDE";

const NAME: &str = "a_container_that_cuts_its_power_is_gone_at_once";

#[test]
fn a_machine_in_memory_knows_that_it_is_cut() {
    let host = FakeHost::new();
    host.refuse_to_cut(true);
    host.cut().unwrap_err();
    assert!(!host.is_cut());
    host.refuse_to_cut(false);
    host.cut().unwrap();
    assert!(host.is_cut());
}

#[test]
fn a_container_that_cuts_its_power_is_gone_at_once() {
    if let Some(outside) = std::env::var_os(OUTSIDE) {
        assert_ne!(outside, namespace(), "this is not a container: cutting would be in earnest");
        panic!("still here: {:?}", KernelPower.cut());
    }
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some() {
        return;
    }
    // The first process there waits for more than any test takes; it ends when the power is cut.
    let ended = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "sh", "-c", "\"$@\"; exec sleep 600", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(OUTSIDE, namespace())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    // So the kernel tells a container's host that it powered itself off; a restart is SIGHUP.
    assert_eq!(ended.signal(), Some(Signal::SIGINT as i32), "{ended}");
}

/// The process namespace this program is in.
fn namespace() -> std::ffi::OsString {
    std::fs::read_link("/proc/self/ns/pid").unwrap().into()
}
