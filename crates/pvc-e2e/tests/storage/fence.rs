//! Nodes that die with VMs on volumes: what was acknowledged is there, and nobody else writes.

use std::time::Duration;

use pvc_common::api::Fence;
use pvc_e2e::lab::{Census, Lab, Vigil, is_over, proved_by, until, with_usual_watchdog};

use crate::locks::holders;

/// How long a host may take to boot and its daemon to serve.
const BACK: Duration = Duration::from_secs(120);

/// How long Ceph may shut a node out once it serves again.
const LET_IN: Duration = Duration::from_secs(60);

/// A node with a VM on a volume that is about to die.
struct Victim<'a> {
    lab: &'a Lab,
    node: String,
    /// Who looks at the volume.
    witness: String,
    vm: String,
    vigil: Vigil<'a>,
    census: Census,
}

impl<'a> Victim<'a> {
    fn prepare(lab: &'a Lab) -> Self {
        lab.await_rest();
        lab.await_storage();
        let node = lab.plain_node();
        let witness = lab.hosts().iter().find(|host| **host != node).unwrap().clone();
        let vm = lab.store("kept", &node);
        let (vigil, census) = (lab.vigil(), Census::begin(lab));
        Self { lab, node, witness, vm, vigil, census }
    }

    /// Waits until the VM writes elsewhere, on a volume that holds all that was acknowledged.
    fn await_recovery(&self) -> Fence {
        let Self { lab, node, witness, vm, .. } = self;
        lab.await_boot(vm, 2);
        lab.await_running_elsewhere(vm, node);
        assert_eq!(lab.kept(vm, witness).len(), 2);
        let holders = holders(lab, vm, witness);
        let [(_, address)] = &holders[..] else { panic!("the new QEMU alone: {holders:?}") };
        assert!(!address.starts_with(&format!("{}:", lab.node_address(node))), "{holders:?}");
        let fence = self.vigil.wait_for(node, "finished", |fence| fence.phase == "finished");
        assert!(proved_by(&fence, "storage"), "{fence:?}");
        fence
    }

    /// Whether Ceph shuts the node's clients out.
    fn is_shut_out(&self) -> bool {
        let address = self.lab.node_address(&self.node);
        let map = self.lab.ceph(&self.witness, &["ceph", "osd", "dump"]);
        map["blocklist"].as_object().unwrap().contains_key(&format!("{address}:0/0"))
    }

    /// Gives the node back what it was deprived of, and sees that it is let in and runs VMs on
    /// volumes again.
    fn come_back(self) {
        let Self { lab, node, vm, .. } = &self;
        lab.mend();
        lab.await_node(node, BACK);
        until("the node to be let in", LET_IN, || {
            if self.is_shut_out() { Err("it is shut out".to_owned()) } else { Ok(()) }
        });
        assert_eq!(lab.kept(vm, &self.witness).len(), 2, "the VM runs on where it was brought");
        lab.pvc_within(BACK, &["node", "ready", "--wait", node]).ok().unwrap();
        assert_eq!(lab.await_running(vm), *node, "it is brought home");
        lab.await_lines(vm, 10);
        assert_eq!(lab.kept(vm, node).len(), 2, "while it ran");
        lab.pvc(&["vm", "restart", "--wait", vm]);
        lab.await_boot(vm, 3);
        assert_eq!(lab.kept(vm, node).len(), 3);
        self.census.end();
    }
}

#[test]
fn a_vm_on_a_volume_survives_a_power_cut_that_takes_the_bmc_along() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab);
    lab.cut(&victim.node);
    let fence = victim.await_recovery();
    assert!(!proved_by(&fence, "ipmi"), "{fence:?}");
    assert!(victim.is_shut_out(), "as long as it is away");
    victim.come_back();
}

#[test]
fn a_vm_on_a_volume_survives_a_power_cut() {
    let lab = Lab::take();
    let victim = Victim::prepare(&lab);
    lab.fault(&["power", &victim.node, "cut"]);
    victim.await_recovery();
    victim.come_back();
}

/// Long enough for a host to thaw and write, before its watchdog resets it.
fn with_slow_watchdog(settings: &str) -> String {
    with_usual_watchdog(settings)
        .replace("    high_availability:\n", "    high_availability:\n      watchdog_timeout: 60\n")
}

#[test]
fn the_qemu_of_a_host_that_thaws_when_its_vm_runs_elsewhere_writes_nothing() {
    let lab = Lab::take();
    // Neither its watchdog nor its BMC shall end it: Ceph alone keeps it from the volume.
    lab.reconfigure(with_slow_watchdog);
    let victim = Victim::prepare(&lab);
    let Victim { node, vm, witness, .. } = &victim;
    lab.fault(&["bmc", node, "down"]);
    lab.fault(&["freeze", node]);
    lab.await_boot(vm, 2);
    let before = lab.kept(vm, witness);
    let other = lab.await_running_elsewhere(vm, node);
    let process = lab.qemu(&other, vm);
    lab.thaw(node);

    // The thawed guest may still tell of a line that was acknowledged before it froze, and both tell
    // at once. So it is the volume that is asked; the other would write ten times a second.
    until("a hundred more lines on the volume", Duration::from_secs(60), || {
        let now = lab.boots_on_volume(vm, witness);
        assert_eq!(now.len(), 2, "{now:?}");
        assert_eq!(now[0], before[0], "the thawed one has written nothing");
        if now[1].lines >= before[1].lines + 100 { Ok(()) } else { Err(format!("{now:?}")) }
    });
    let fence = victim.vigil.wait_for(node, "over", is_over);
    assert!(proved_by(&fence, "storage") && !proved_by(&fence, "ipmi"), "{fence:?}");
    until("the old QEMU to end", LET_IN, || {
        let on = lab.hosts_running(vm).map_err(|error| format!("{error:#}"))?;
        if on == [other.clone()] { Ok(()) } else { Err(format!("{on:?}")) }
    });
    assert_eq!(lab.qemu(&other, vm), process, "the new one ran all the time");
    lab.mend();
    lab.await_node(node, BACK);
}
