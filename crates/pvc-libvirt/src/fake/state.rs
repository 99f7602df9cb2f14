//! What is in the room, and the few ways in which that changes. All of it happens under one
//! lock, so that a VM is seen in each state by everybody or nobody.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use pvc_common::id::{VmName, VmUuid};
use pvc_common::observed::RunState;
use pvc_common::unit::{Bytes, Mib, Vcpus};
use pvc_domxml::Description;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::script::Guest;

/// Enough for any test; a run of days must not fill the memory.
const HISTORY_LIMIT: usize = 100_000;

/// Something that happened to a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// On which node.
    pub node: String,
    /// To which VM.
    pub uuid: VmUuid,
    /// What.
    pub what: What,
}

/// What can happen to a VM on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was started.
    Started,
    /// Its guest was asked to shut down.
    AskedToShutDown,
    /// It powered itself off or crashed.
    Ended,
    /// It was destroyed.
    Destroyed,
    /// It began to be sent elsewhere.
    Departed,
    /// It was not sent elsewhere after all.
    Stayed,
    /// It arrived from elsewhere and runs here now.
    Arrived,
    /// It has gone elsewhere.
    Left,
}

/// A VM as one node has it.
#[derive(Debug)]
pub(super) struct FakeVm {
    /// Tells this QEMU process from an earlier one of the same VM.
    pub(super) process: u64,
    pub(super) name: VmName,
    pub(super) memory: Mib,
    pub(super) vcpus: Vcpus,
    pub(super) xml: Arc<str>,
    pub(super) devices: Arc<Description>,
    pub(super) run: RunState,
    pub(super) since: Instant,
    pub(super) departure: Option<Arc<Departure>>,
    /// The disks that have grown since it started, by their names in the guest.
    pub(super) grown: BTreeMap<String, Bytes>,
}

/// A migration under way, as its source has it.
#[derive(Debug)]
pub(super) struct Departure {
    pub(super) to: String,
    pub(super) began: Instant,
    pub(super) guest: Guest,
    /// Raised when it shall be, or must be, given up.
    pub(super) give_up: Notify,
}

/// One node of the room.
#[derive(Debug)]
pub(super) struct FakeNode {
    pub(super) condition: watch::Sender<Condition>,
    pub(super) changes: watch::Sender<u64>,
    pub(super) vms: BTreeMap<VmUuid, FakeVm>,
    /// How often anything was asked of it.
    pub(super) asked: u64,
}

/// Whether a node's hypervisor answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Answers,
    Hangs,
    Off,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) nodes: BTreeMap<String, FakeNode>,
    pub(super) guests: HashMap<VmUuid, Guest>,
    pub(super) any_guest: Guest,
    pub(super) history: VecDeque<Happened>,
    pub(super) ran_twice: Vec<VmUuid>,
    processes: u64,
}

impl State {
    pub(super) fn guest(&self, uuid: VmUuid) -> Guest {
        self.guests.get(&uuid).unwrap_or(&self.any_guest).clone()
    }

    pub(super) fn next_process(&mut self) -> u64 {
        self.processes += 1;
        self.processes
    }

    pub(super) fn vm(&self, node: &str, uuid: VmUuid) -> Option<&FakeVm> {
        self.nodes.get(node)?.vms.get(&uuid)
    }

    pub(super) fn vm_mut(&mut self, node: &str, uuid: VmUuid) -> Option<&mut FakeVm> {
        self.nodes.get_mut(node)?.vms.get_mut(&uuid)
    }

    pub(super) fn insert(&mut self, node: &str, uuid: VmUuid, vm: FakeVm) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.vms.insert(uuid, vm);
        }
    }

    /// Takes a VM from a node; a migration of it ends, for there is nothing left to send.
    pub(super) fn remove(&mut self, node: &str, uuid: VmUuid) -> Option<FakeVm> {
        let vm = self.nodes.get_mut(node)?.vms.remove(&uuid)?;
        if let Some(departure) = &vm.departure {
            departure.give_up.notify_one();
        }
        Some(vm)
    }

    /// Whether a node still has this very QEMU process of a VM.
    pub(super) fn has_process(&self, node: &str, uuid: VmUuid, process: u64) -> bool {
        self.vm(node, uuid).is_some_and(|vm| vm.process == process)
    }

    pub(super) fn executing_on(&self, uuid: VmUuid) -> Vec<String> {
        let executes = |node: &FakeNode| node.vms.get(&uuid).is_some_and(|vm| vm.run.may_execute());
        self.nodes.iter().filter(|(_, node)| executes(node)).map(|(name, _)| name.clone()).collect()
    }

    /// To be called after every change: remembers it, tells who watches, and looks whether the
    /// VM executes in two places.
    pub(super) fn happened(&mut self, node: &str, uuid: VmUuid, what: What) {
        if self.history.len() == HISTORY_LIMIT {
            self.history.pop_front();
        }
        self.history.push_back(Happened { node: node.to_owned(), uuid, what });
        if let Some(node) = self.nodes.get(node) {
            node.changes.send_modify(|count| *count += 1);
        }
        if self.executing_on(uuid).len() > 1 && !self.ran_twice.contains(&uuid) {
            self.ran_twice.push(uuid);
        }
    }
}
