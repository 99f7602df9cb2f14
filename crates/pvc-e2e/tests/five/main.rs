//! What takes five hosts to be seen: `cargo xtask test --tier lab` runs this, in a lab of its own.

use std::time::Duration;

use pvc_e2e::lab::{Census, Lab, proved_by};

/// How long a host may take to boot and its daemon to serve.
const BACK: Duration = Duration::from_secs(120);

#[test]
fn two_of_five_nodes_that_lose_power_at_once_are_both_recovered() {
    let lab = Lab::take();
    lab.await_rest();
    let one = lab.plain_node();
    let kept = [&lab.primary(), &lab.zookeeper_leader(), &one];
    let two = lab.hosts().iter().rfind(|host| !kept.contains(host)).unwrap().clone();
    let vms = [("one", &one), ("two", &one), ("three", &two), ("four", &two)];
    let vms = vms.map(|(name, node)| (lab.writer(name, node), node));
    let (vigil, census) = (lab.vigil(), Census::begin(&lab));
    lab.cut(&one);
    lab.cut(&two);
    for (vm, lost) in &vms {
        lab.await_boot(vm, 2);
        lab.await_running_elsewhere(vm, lost);
    }
    for node in [&one, &two] {
        let fence = vigil.wait_for(node, "finished", |fence| fence.phase == "finished");
        assert!(proved_by(&fence, "watchdog"), "{fence:?}");
    }
    lab.mend();
    for node in [&one, &two] {
        lab.await_node(node, BACK);
    }
    for (vm, _) in &vms {
        lab.await_running(vm);
        assert_eq!(lab.boots(vm).len(), 2, "{vm} runs on where it was brought");
    }
    census.end();
}
