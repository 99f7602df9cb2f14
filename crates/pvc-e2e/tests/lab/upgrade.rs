//! The layout of the tree is raised under a running cluster.

use std::time::Duration;

use pvc_e2e::lab::{Census, Lab, Said, until};

/// How long a daemon may take to come up, or to become its new self.
const BACK: Duration = Duration::from_secs(60);

/// The layout before the latest, and the latest.
const OLD: &str = "18";
const NEW: &str = "19";

/// A network as the layout before had it, for the latest adds something to networks.
const NETWORK: &str = "/networks/16777215";
/// What the latest layout has added.
const ADDED: [&str; 1] = ["/networks/16777215/dhcp6_leases"];

/// ZooKeeper as a person changes it, on a host's own server.
fn zookeeper(lab: &Lab, host: &str, command: &str) -> String {
    try_zookeeper(lab, host, command).ok().unwrap_or_else(|error| panic!("{error:#}"))
}

fn try_zookeeper(lab: &Lab, host: &str, command: &str) -> Said {
    let server = format!("{host}:2181");
    let mut words = vec!["/usr/share/zookeeper/bin/zkCli.sh", "-server", &server];
    words.extend(command.split(' '));
    lab.try_on(host, &words)
}

/// Puts the layout back and starts every daemon, however the test ends.
struct Restored<'a>(&'a Lab);

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        let host = &self.0.hosts()[0];
        try_zookeeper(self.0, host, &format!("set /schema/version {NEW}"));
        // Which is not there if the test ended before it made it.
        try_zookeeper(self.0, host, &format!("deleteall {NETWORK}"));
        for host in self.0.hosts() {
            self.0.try_on(host, &["systemctl", "start", "pvcnoded.service"]);
        }
    }
}

fn pid(lab: &Lab, host: &str) -> String {
    let show = ["systemctl", "show", "--property=MainPID", "--value", "pvcnoded.service"];
    lab.on(host, &show).trim().to_owned()
}

fn await_log(lab: &Lab, host: &str, since: &str, text: &str) {
    until(&format!("{host} to say `{text}`"), BACK, || {
        let read = ["journalctl", "--unit=pvcnoded", "--output=cat", "--since", since];
        let log = lab.try_on(host, &read).out;
        if log.contains(text) { Ok(()) } else { Err(log.lines().last().unwrap_or("").to_owned()) }
    });
}

fn now(lab: &Lab, host: &str) -> String {
    lab.on(host, &["date", "+%F %T"]).trim().to_owned()
}

#[test]
fn the_last_upgraded_node_raises_the_layout_and_no_vm_notices() {
    let lab = Lab::take();
    lab.await_rest();
    let [hosts @ .., last] = lab.hosts() else { panic!("hosts") };
    let home = &hosts[0];
    let vms = lab.crowd(home, 2);
    let qemus: Vec<String> = vms.iter().map(|vm| lab.qemu(home, vm)).collect();
    let census = Census::begin(&lab);
    let restored = Restored(&lab);

    // As it was before the upgrade, and the last node's daemon as one that knows no better.
    for host in lab.hosts() {
        lab.on(host, &["systemctl", "stop", "pvcnoded.service"]);
    }
    zookeeper(&lab, last, &format!("set /schema/version {OLD}"));
    zookeeper(&lab, last, &format!("create {NETWORK} upgraded"));
    zookeeper(&lab, last, &format!("create {NETWORK}/nettype bridged"));
    zookeeper(&lab, last, &format!("set /nodes/{last}/latestschema {OLD}"));
    let since = now(&lab, last);
    for host in hosts {
        lab.on(host, &["systemctl", "start", "pvcnoded.service"]);
        await_log(&lab, host, &since, &format!("schema version stays {OLD}"));
        await_log(&lab, host, &since, "pvcnoded serves");
    }
    let before: Vec<String> = hosts.iter().map(|host| pid(&lab, host)).collect();

    lab.on(last, &["systemctl", "start", "pvcnoded.service"]);
    await_log(&lab, last, &since, &format!("schema version {OLD} -> {NEW}"));
    for host in hosts {
        await_log(&lab, host, &since, &format!("{OLD} -> {NEW}: pvcnoded begins anew"));
    }
    for host in lab.hosts() {
        lab.await_node(host, BACK);
    }
    lab.await_rest();
    let after: Vec<String> = hosts.iter().map(|host| pid(&lab, host)).collect();
    assert_eq!(before, after, "each daemon became its new self in its own process");
    assert!(zookeeper(&lab, last, "get /schema/version").contains(NEW));
    for added in ADDED {
        // Fails unless it is there.
        zookeeper(&lab, last, &format!("get {added}"));
    }
    for (vm, qemu) in vms.iter().zip(&qemus) {
        assert_eq!(&lab.qemu(home, vm), qemu, "{vm} is the same process");
    }

    // A layout of the future: refused, told, and waited for; VMs run on.
    let since = now(&lab, last);
    zookeeper(&lab, last, "set /schema/version 99");
    for host in lab.hosts() {
        await_log(&lab, host, &since, "the cluster uses schema version 99");
    }
    zookeeper(&lab, last, &format!("set /schema/version {NEW}"));
    for host in lab.hosts() {
        lab.await_node(host, BACK);
    }
    for (vm, qemu) in vms.iter().zip(&qemus) {
        assert_eq!(&lab.qemu(home, vm), qemu, "{vm} is still the same process");
    }
    drop(restored);
    census.end();
}
