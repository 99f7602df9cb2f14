//! The room: scripting what happens in it and asking what did.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::observed::RunState;
use tokio::sync::watch;

use super::hypervisor::FakeHypervisor;
use super::script::Guest;
use super::state::{Condition, FakeNode, Happened, State, What};

/// A machine room, shared by its nodes. Cloning it gives another handle to the same room.
#[derive(Clone, Debug, Default)]
pub struct FakeRoom(Arc<Mutex<State>>);

impl FakeRoom {
    /// An empty room.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The hypervisor of a node, which joins the room if it is new.
    ///
    /// # Panics
    /// If that is no name of a node.
    #[must_use]
    pub fn node(&self, name: &str) -> FakeHypervisor {
        let name: NodeName = name.parse().expect("the name of a node");
        let mut state = self.state();
        let node = state.nodes.entry(name.as_str().to_owned()).or_insert_with(|| FakeNode {
            condition: watch::Sender::new(Condition::Answers),
            changes: watch::Sender::new(0),
            vms: std::collections::BTreeMap::new(),
            asked: 0,
        });
        let (condition, changes) = (node.condition.subscribe(), node.changes.clone());
        FakeHypervisor::new(self.clone(), name.as_str(), condition, changes)
    }

    /// How often anything was asked of a node's libvirt, whether it answered or not.
    #[must_use]
    pub fn asked(&self, node: &str) -> u64 {
        self.state().nodes.get(node).map_or(0, |node| node.asked)
    }

    pub(super) fn asked_once_more(&self, node: &str) {
        if let Some(node) = self.state().nodes.get_mut(node) {
            node.asked += 1;
        }
    }

    /// Makes one VM behave like this from now on, wherever it runs.
    pub fn script(&self, uuid: VmUuid, guest: Guest) {
        self.state().guests.insert(uuid, guest);
    }

    /// Makes every VM without a script of its own behave like this from now on.
    pub fn script_all(&self, guest: Guest) {
        self.state().any_guest = guest;
    }

    /// A guest powers itself off, or its QEMU dies: to libvirt it is gone either way.
    pub fn end_vm(&self, uuid: VmUuid) {
        let mut state = self.state();
        for node in state.executing_on(uuid) {
            state.remove(&node, uuid);
            state.happened(&node, uuid, What::Ended);
        }
    }

    /// Puts a VM that is on a node into another state, such as [`RunState::Crashed`].
    pub fn put(&self, node: &str, uuid: VmUuid, run: RunState) {
        let mut state = self.state();
        if let Some(vm) = state.vm_mut(node, uuid) {
            vm.run = run;
            let what = if run.may_execute() { What::Started } else { What::Ended };
            state.happened(node, uuid, what);
        }
    }

    /// A node's libvirt stops answering; its VMs go on.
    pub fn hang(&self, node: &str) {
        self.condition(node, Condition::Hangs);
    }

    /// A node's libvirt answers again, after [`FakeRoom::hang`] or [`FakeRoom::power_cut`].
    pub fn recover(&self, node: &str) {
        self.condition(node, Condition::Answers);
    }

    /// A node loses power, and its VMs are gone at once.
    pub fn power_cut(&self, node: &str) {
        self.condition(node, Condition::Off);
        let mut state = self.state();
        let uuids: Vec<VmUuid> = state
            .nodes
            .get(node)
            .map(|node| node.vms.keys().copied().collect())
            .unwrap_or_default();
        for uuid in uuids {
            state.remove(node, uuid);
            state.happened(node, uuid, What::Ended);
        }
        // What was on its way there goes on where it was.
        let ways = state.nodes.values().flat_map(|node| node.vms.values());
        for departure in ways.filter_map(|vm| vm.departure.as_ref()) {
            if departure.to == node {
                departure.give_up.notify_one();
            }
        }
    }

    /// The nodes on which a VM executes, or would if resumed.
    #[must_use]
    pub fn executing_on(&self, uuid: VmUuid) -> Vec<String> {
        self.state().executing_on(uuid)
    }

    /// What the QEMU of a VM does on a node; `None` if it has none there.
    #[must_use]
    pub fn run_state(&self, node: &str, uuid: VmUuid) -> Option<RunState> {
        self.state().vm(node, uuid).map(|vm| vm.run)
    }

    /// The VMs that ever executed on two nodes at one time. Anything in it is a disaster.
    #[must_use]
    pub fn ran_twice(&self) -> Vec<VmUuid> {
        self.state().ran_twice.clone()
    }

    /// What happened to a VM, oldest first.
    #[must_use]
    pub fn history(&self, uuid: VmUuid) -> Vec<Happened> {
        self.state().history.iter().filter(|event| event.uuid == uuid).cloned().collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A test that failed under the lock must not hide behind the next one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn condition(&self, node: &str, condition: Condition) {
        if let Some(node) = self.state().nodes.get(node) {
            node.condition.send_replace(condition);
            node.changes.send_modify(|count| *count += 1);
        }
    }
}
