//! Nodes that are not well, but alive: nobody is fenced, and no VM notices.

use std::time::Duration;

use pvc_e2e::lab::{Lab, throughout, with_usual_watchdog};

/// Much longer than it takes to condemn a node.
const LONG_ENOUGH: Duration = Duration::from_secs(15);

/// Longer than any session of ZooKeeper lives unheard.
const NO_QUORUM: Duration = Duration::from_secs(15);

/// As long as a node may stand still unpunished.
const PAUSE_MS: &str = "2000";

/// Disturbs the cluster; says what is wrong if a node was fenced for it or a VM noticed.
fn spares_everybody(lab: &Lab, disturb: impl FnOnce(&str)) {
    lab.await_rest();
    let vm = lab.writer("spared", &lab.plain_node());
    let node = lab.await_running(&vm);
    let process = lab.qemu(&node, &vm);
    let vigil = lab.vigil();

    disturb(&vm);
    throughout("everybody is spared", LONG_ENOUGH, || {
        // An API that does not answer says nothing about fences; it has to in the end.
        vigil.seen().map_or(Ok(()), |fences| {
            if fences.is_empty() { Ok(()) } else { Err(format!("{fences:?}")) }
        })
    });
    lab.mend();
    lab.await_rest();
    vigil.is_quiet().unwrap();
    assert_eq!(lab.await_running(&vm), node);
    assert_eq!(lab.qemu(&node, &vm), process, "it ran all the time");
    assert_eq!(lab.boots(&vm).len(), 1, "it booted once");
}

#[test]
fn a_pause_of_two_seconds_costs_no_node_its_life() {
    let lab = Lab::take();
    // The lab's hosts have one of three seconds; two who suspect each other and a third that
    // stands still with ZooKeeper's leader make more of that.
    lab.reconfigure(with_usual_watchdog);
    spares_everybody(&lab, |_| {
        for host in lab.hosts() {
            lab.fault(&["pause", host, PAUSE_MS]);
        }
    });
}

#[test]
fn a_daemon_that_dies_costs_no_node_its_life() {
    let lab = Lab::take();
    spares_everybody(&lab, |_| {
        for host in lab.hosts() {
            lab.kill(host, "pvcnoded.service");
        }
    });
}

#[test]
fn a_restart_of_zookeeper_costs_no_node_its_life() {
    let lab = Lab::take();
    spares_everybody(&lab, |_| {
        for host in lab.hosts() {
            lab.on(host, &["systemctl", "restart", "zookeeper.service"]);
        }
        lab.kill(&lab.zookeeper_leader(), "zookeeper.service");
    });
}

#[test]
fn an_ensemble_without_a_quorum_costs_no_node_its_life() {
    let lab = Lab::take();
    let all = |verb: &str| {
        for host in lab.hosts() {
            lab.on(host, &["systemctl", verb, "zookeeper.service"]);
        }
    };
    spares_everybody(&lab, |vm| {
        all("stop");
        throughout("there is one writer", NO_QUORUM, || lab.try_boots(vm).map(drop));
        all("start");
    });
}

/// A daemon that ends cannot withdraw its promise then; the next one has to keep it in time.
#[test]
fn a_daemon_that_is_restarted_without_a_quorum_costs_no_node_its_life() {
    let lab = Lab::take();
    let all = |verb: &str, unit: &str| {
        for host in lab.hosts() {
            lab.on(host, &["systemctl", verb, unit]);
        }
    };
    spares_everybody(&lab, |_| {
        all("stop", "zookeeper.service");
        all("restart", "pvcnoded.service");
        all("start", "zookeeper.service");
    });
}

#[test]
fn a_network_that_loses_some_packets_costs_no_node_its_life() {
    let lab = Lab::take();
    spares_everybody(&lab, |_| {
        for host in lab.hosts() {
            lab.fault(&["loss", host, "5"]);
        }
    });
}

#[test]
fn two_nodes_of_which_one_does_not_hear_the_other_both_live() {
    let lab = Lab::take();
    let [one, other, ..] = lab.hosts() else { panic!("the lab has three hosts") };
    spares_everybody(&lab, |_| lab.fault(&["oneway", one, other, "cut"]));
}
