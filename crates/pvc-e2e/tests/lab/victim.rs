//! A node that is about to die.

use std::time::Duration;

use pvc_common::api::Fence;
use pvc_e2e::lab::{Census, Lab, Vigil};

/// How long a host may take to boot and its daemon to serve.
pub(crate) const BACK: Duration = Duration::from_secs(120);

/// A node with VMs that is about to die.
pub(crate) struct Victim<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) node: String,
    pub(crate) vms: Vec<String>,
    pub(crate) vigil: Vigil<'a>,
    pub(crate) census: Census,
}

impl<'a> Victim<'a> {
    /// Gives a node two VMs that write.
    pub(crate) fn prepare(lab: &'a Lab, node: &str) -> Self {
        lab.await_rest();
        let vms = ["one", "two"].map(|name| lab.writer(name, node)).to_vec();
        Self { lab, node: node.to_owned(), vms, vigil: lab.vigil(), census: Census::begin(lab) }
    }

    /// Waits until the node is fenced and all its VMs write elsewhere.
    pub(crate) fn await_recovery(&self) -> Fence {
        for vm in &self.vms {
            self.lab.await_boot(vm, 2);
            self.lab.await_running_elsewhere(vm, &self.node);
        }
        self.vigil.wait_for(&self.node, "finished", |fence| fence.phase == "finished")
    }

    /// Gives the node back what it was deprived of, and sees that it serves again without having
    /// started anything that is no longer its own.
    pub(crate) fn come_back(self) {
        let Self { lab, node, vms, census, .. } = self;
        lab.mend();
        lab.await_node(&node, BACK);
        for vm in &vms {
            assert_eq!(lab.boots(vm).len(), 2, "{vm} runs on where it was brought");
            let on = lab.await_running(vm);
            assert_ne!(on, node);
        }
        let ready = ["node", "ready", "--wait", node.as_str()];
        lab.pvc_within(BACK, &ready).ok().unwrap();
        for vm in &vms {
            lab.await_running(vm);
            assert_eq!(lab.boots(vm).len(), 2, "{vm} was not started once more");
        }
        census.end();
    }
}
