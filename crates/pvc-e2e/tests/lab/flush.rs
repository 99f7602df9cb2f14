//! Nodes leave service and return to it.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

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
    let vms = lab.crowd(&node, 10);
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
    let cancelled = Instant::now();

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
    assert!(cancelled.elapsed() < Duration::from_secs(1), "{:?}", cancelled.elapsed());
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
