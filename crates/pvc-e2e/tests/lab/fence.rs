//! Nodes that die, each in its own way: their VMs run elsewhere, and never twice.

use std::time::Duration;

use pvc_e2e::lab::{Lab, is_over, proved_by, until, with_usual_watchdog};

use crate::victim::{BACK, Victim};

/// How long the API may be gone when the primary coordinator dies.
const API_GONE: Duration = Duration::from_secs(20);

#[test]
fn a_node_without_power_is_proved_dead_by_its_bmc() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.fault(&["power", &victim.node, "cut"]);
    let fence = victim.await_recovery();
    assert!(proved_by(&fence, "ipmi"), "{fence:?}");
    victim.come_back();
}

#[test]
fn a_node_that_lost_power_together_with_its_bmc_is_proved_dead_by_its_watchdog() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.cut(&victim.node);
    let fence = victim.await_recovery();
    assert!(proved_by(&fence, "watchdog"), "{fence:?}");
    victim.come_back();
}

#[test]
fn a_node_that_hangs_is_switched_off() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.fault(&["freeze", &victim.node, "--silent"]);
    let fence = victim.await_recovery();
    assert!(proved_by(&fence, "ipmi"), "{fence:?}");
    victim.come_back();
}

#[test]
fn a_node_that_hangs_out_of_reach_of_its_bmc_is_reset_by_its_watchdog() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.fault(&["bmc", &victim.node, "down"]);
    lab.fault(&["freeze", &victim.node, "--silent"]);
    let fence = victim.await_recovery();
    assert!(!proved_by(&fence, "ipmi"), "{fence:?}");
    victim.come_back();
}

#[test]
fn a_node_that_thaws_while_its_death_is_being_proved_runs_no_vm_that_others_run() {
    let lab = Lab::take();
    // Its watchdog shall not be the first.
    lab.reconfigure(with_usual_watchdog);
    let victim = Victim::prepare(&lab, &lab.plain_node());
    let node = victim.node.clone();
    lab.fault(&["bmc", &node, "down"]);
    lab.fault(&["freeze", &node, "--silent"]);
    victim.vigil.wait_for(&node, "begun", |_| true);
    lab.thaw(&node);

    // It may have been heard in time, or not: either way each VM runs, and once.
    victim.vigil.wait_for(&node, "over", is_over);
    lab.mend();
    for vm in &victim.vms {
        lab.await_running(vm);
        let boots = lab.boots(vm);
        // Its last boot may be the one that was ended: then the next one's first line counts.
        let before = (boots.len(), boots.last().unwrap().lines);
        until("the guest to write on", Duration::from_secs(10), || {
            let boots = lab.boots(vm);
            let now = (boots.len(), boots.last().unwrap().lines);
            if now > before { Ok(()) } else { Err(format!("{boots:?}")) }
        });
        assert!(boots.len() <= 2, "{boots:?}");
    }
    lab.await_node(&node, BACK);
    victim.census.end();
}

#[test]
fn a_node_cut_off_from_all_networks_is_switched_off() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.fault(&["partition", &victim.node]);
    let fence = victim.await_recovery();
    assert!(proved_by(&fence, "ipmi"), "{fence:?}");
    victim.come_back();
}

#[test]
fn a_node_cut_off_together_with_its_bmc_ends_itself() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.fault(&["bmc", &victim.node, "down"]);
    lab.fault(&["partition", &victim.node]);
    let fence = victim.await_recovery();
    assert!(proved_by(&fence, "watchdog"), "{fence:?}");
    victim.come_back();
}

#[test]
fn a_daemon_that_dies_while_its_time_runs_does_not_prolong_the_life_of_its_node() {
    let lab = Lab::take();
    // So that its device does not fire before this test has seen the fence.
    lab.reconfigure(with_usual_watchdog);
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.fault(&["bmc", &victim.node, "down"]);
    lab.fault(&["partition", &victim.node]);
    // Its death closes the device, which to the kernel is a sign of life.
    victim.vigil.wait_for(&victim.node, "begun", |_| true);
    lab.kill(&victim.node, "pvcnoded.service");
    let fence = victim.await_recovery();
    assert!(proved_by(&fence, "watchdog"), "{fence:?}");
    victim.come_back();
}

/// Without a device, but with the promise of the daemon, which the others take for proof.
fn promising(settings: &str) -> String {
    let mut lines = String::new();
    for line in settings.lines() {
        match line.trim_start() {
            text if text.starts_with("suicide_intervals:") => {
                lines += "      suicide_intervals: 2\n";
            }
            text if text.starts_with("failed_fence:") => lines += "        failed_fence: migrate\n",
            "high_availability:" => lines += &format!("{line}\n      watchdog: False\n"),
            _ => lines += &format!("{line}\n"),
        }
    }
    lines
}

#[test]
fn a_node_that_promised_it_switches_itself_off_when_nobody_hears_it() {
    let lab = Lab::take();
    lab.reconfigure(promising);
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.fault(&["bmc", &victim.node, "down"]);
    lab.fault(&["partition", &victim.node]);
    until("the node to switch itself off", Duration::from_secs(30), || {
        if lab.is_on(&victim.node) { Err("it is on".to_owned()) } else { Ok(()) }
    });
    let fence = victim.await_recovery();
    assert!(proved_by(&fence, "watchdog"), "{fence:?}");
    victim.come_back();
}

#[test]
fn a_fence_whose_author_is_killed_is_finished() {
    let lab = Lab::take();
    // So that its lease does not run out before this test has seen the fence.
    lab.reconfigure(with_usual_watchdog);
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.cut(&victim.node);
    // While its death cannot be proved yet, for the BMC is dead and the lease has not run out.
    let fence = victim.vigil.wait_for(&victim.node, "begun", |fence| !is_over(fence));
    lab.kill(&fence.by, "pvcnoded.service");
    victim.await_recovery();
    victim.come_back();
}

#[test]
fn the_api_answers_on_its_address_again_when_the_primary_coordinator_died() {
    let lab = Lab::take();
    let primary = lab.primary();
    let victim = Victim::prepare(&lab, &primary);
    lab.fault(&["power", &primary, "cut"]);
    until("the API to answer from another primary", API_GONE, || {
        let nodes = lab.try_nodes().map_err(|error| format!("{error:#}"))?;
        let now = nodes.into_iter().find(|node| node.coordinator_state == "primary");
        match now {
            Some(node) if node.name != primary => Ok(()),
            other => Err(format!("{:?}", other.map(|node| node.name))),
        }
    });
    victim.await_recovery();
    victim.come_back();
}

#[test]
fn a_node_that_led_zookeeper_is_fenced_like_any_other() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.zookeeper_leader());
    lab.cut(&victim.node);
    victim.await_recovery();
    victim.come_back();
}
