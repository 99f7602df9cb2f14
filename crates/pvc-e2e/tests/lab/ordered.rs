//! What people have a say in when a node dies.

use std::time::Duration;

use pvc_common::api::Fence;
use pvc_e2e::lab::{Lab, proved_by, throughout};

use crate::victim::Victim;

/// Longer than any node that is silent waits for its condemnation.
const A_WHILE: Duration = Duration::from_secs(8);

/// Without anything by which a node that is out of reach could be known to have ended.
fn promising_nothing(settings: &str) -> String {
    settings.replace("high_availability:\n", "high_availability:\n      watchdog: False\n")
}

#[test]
fn a_death_that_nothing_proves_waits_for_a_person() {
    let lab = Lab::take();
    lab.reconfigure(promising_nothing);
    let victim = Victim::prepare(&lab, &lab.plain_node());
    let node = victim.node.as_str();
    lab.cut(node);
    let no_proof = |fence: &Fence| {
        fence.evidence.iter().any(|one| one.verdict == "failed" && one.kind == "ipmi")
    };
    victim.vigil.wait_for(node, "without proof", no_proof);
    for vm in &victim.vms {
        assert_eq!(lab.boots(vm).len(), 1, "{vm} does not run elsewhere by hope");
    }
    lab.pvc(&["node", "fence", "confirm-dead", node]);
    let fence = victim.await_recovery();
    assert!(proved_by(&fence, "operator"), "{fence:?}");
    victim.come_back();
}

#[test]
fn a_node_is_fenced_when_a_person_orders_it() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.pvc(&["node", "fence", "start", &victim.node]);
    let fence = victim.await_recovery();
    assert_eq!(fence.why, "ordered by a person");
    victim.come_back();
}

#[test]
fn maintenance_spares_a_silent_node_until_it_ends() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab, &lab.plain_node());
    lab.pvc(&["cluster", "maintenance", "on"]);
    lab.fault(&["power", &victim.node, "cut"]);
    throughout("nobody is fenced", A_WHILE, || victim.vigil.is_quiet());
    lab.pvc(&["cluster", "maintenance", "off"]);
    victim.await_recovery();
    victim.come_back();
}
