//! Nodes leave service and return to it.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use pvc_e2e::lab::{Census, Lab, throughout, until};

/// How long a node with ten VMs may take to get empty or full, under emulation.
const TEN: Duration = Duration::from_secs(90);

/// A node that is not primary: its VMs are what this is about.
fn a_secondary(lab: &Lab) -> String {
    let primary = lab.primary();
    lab.hosts().iter().find(|host| **host != primary).expect("there are others").clone()
}

#[test]
fn a_flush_empties_a_node_of_ten_vms_in_parallel_and_ready_brings_them_home() {
    let lab = Lab::take();
    let node = a_secondary(&lab);
    let vms = lab.crowd(&node, 10);
    let census = Census::begin(&lab);

    let mut most = 0;
    thread::scope(|scope| {
        let flush = scope.spawn(|| lab.pvc_within(TEN, &["node", "flush", "--wait", &node]).ok());
        while !flush.is_finished() {
            let seen = lab.try_vms().unwrap();
            most = most.max(seen.iter().filter(|vm| vm.state == "migrate").count());
        }
        flush.join().expect("it was run").expect("the flush ends well");
    });
    assert!(most > 1, "no two VMs were seen to migrate at once");
    assert_eq!(lab.node(&node).domain_state, "flushed");
    assert!(lab.running_on(&node).is_empty(), "the node is empty");
    for vm in &vms {
        assert_ne!(lab.await_running(vm), node);
        assert_eq!(lab.vm(vm).last_node, node, "it remembers its home");
    }

    lab.pvc_within(TEN, &["node", "ready", "--wait", &node]).ok().unwrap();
    for vm in &vms {
        assert_eq!(lab.await_running(vm), node);
        assert_eq!(lab.vm(vm).last_node, "", "it is at home");
    }
    census.end();
}

#[test]
fn a_cancelled_flush_stops_within_a_second_and_what_left_comes_home() {
    let lab = Lab::take();
    let node = a_secondary(&lab);
    let vms = lab.crowd(&node, 20);
    let census = Census::begin(&lab);
    let where_they_are = || -> Result<BTreeMap<String, String>, String> {
        let seen = lab.try_vms().map_err(|error| format!("{error:#}"))?;
        Ok(seen.into_iter().map(|vm| (vm.name, vm.node)).collect())
    };

    lab.pvc(&["node", "flush", &node]);
    until("the first VM to leave", Duration::from_secs(10), || {
        let seen = where_they_are()?;
        let left = vms.iter().any(|vm| seen[vm] != node);
        if left { Ok(()) } else { Err("all are there".to_owned()) }
    });
    lab.pvc(&["node", "ready", &node]);

    let left = |seen: &BTreeMap<String, String>| {
        vms.iter().filter(|vm| seen[*vm] != node).cloned().collect::<Vec<_>>()
    };
    until("the flush to stop", Duration::from_secs(1), || {
        match lab.node(&node).domain_state.as_str() {
            "flush" => Err("it goes on".to_owned()),
            _ => Ok(()),
        }
    });
    let away = left(&where_they_are().unwrap());
    assert!(away.len() < vms.len(), "all VMs had left before it could be cancelled");
    throughout("all that were there stay", Duration::from_secs(3), || {
        let further: Vec<_> =
            left(&where_they_are()?).into_iter().filter(|vm| !away.contains(vm)).collect();
        if further.is_empty() { Ok(()) } else { Err(format!("{further:?} left")) }
    });

    until("the node to be ready", TEN, || match lab.node(&node).domain_state.as_str() {
        "ready" => Ok(()),
        other => Err(other.to_owned()),
    });
    for vm in &vms {
        assert_eq!(lab.await_running(vm), node);
        assert_eq!(lab.vm(vm).last_node, "", "it is at home");
    }
    census.end();
}

/// The service that flushes a node before its daemons are stopped is for hosts that are shut down; the
/// node here is no primary, so the API that it asks is another's.
#[test]
fn a_node_whose_services_are_stopped_is_emptied_first_and_is_in_service_when_they_are_back() {
    let lab = Lab::take();
    let node = a_secondary(&lab);
    let vm = lab.crowd(&node, 1).remove(0);
    let census = Census::begin(&lab);
    let vigil = lab.vigil();
    lab.on(&node, &["systemctl", "enable", "--now", "pvcflush.service"]);

    lab.on(&node, &["systemctl", "stop", "--no-block", "pvc.target"]);
    until("the daemon to be stopped", TEN, || match lab.node(&node).daemon_state.as_str() {
        "stop" => Ok(()),
        other => Err(other.to_owned()),
    });
    assert_eq!(lab.node(&node).domain_state, "flushed");
    assert_ne!(lab.await_running(&vm), node);
    assert_eq!(lab.vm(&vm).last_node, node, "it was migrated, not recovered");

    lab.on(&node, &["systemctl", "start", "--no-block", "pvc.target"]);
    until("the node to be in service", TEN, || {
        let seen = lab.node(&node);
        match (seen.daemon_state.as_str(), seen.domain_state.as_str()) {
            ("run", "ready") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    until("the VM to be at home", TEN, || match lab.vm(&vm).node {
        at if at == node => Ok(()),
        other => Err(other),
    });
    // Its first try may have come before the daemon served.
    until("the service to have done its part", TEN, || {
        lab.try_on(&node, &["systemctl", "is-active", "pvcflush.service"])
            .ok()
            .map(drop)
            .map_err(|error| format!("{error:#}"))
    });
    vigil.is_quiet().unwrap();

    // It flushes when it is stopped, so what it did is undone.
    lab.on(&node, &["systemctl", "disable", "pvcflush.service"]);
    lab.on(&node, &["systemctl", "stop", "--no-block", "pvcflush.service"]);
    until("the node to be flushed", TEN, || match lab.node(&node).domain_state.as_str() {
        "flushed" => Ok(()),
        other => Err(other.to_owned()),
    });
    lab.pvc_within(TEN, &["node", "ready", "--wait", &node]).ok().unwrap();
    census.end();
}
