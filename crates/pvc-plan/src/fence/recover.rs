//! A node that is proved dead: its claims are settled, its VMs placed elsewhere.
//!
//! | claim | what becomes of it |
//! |---|---|
//! | the node alone | handed to the node that takes the VM; removed if none does, or if it should not run |
//! | from the node to another | handed to that one: it finds the VM running or starts it |
//! | from the node to another, which is proved dead too | as the first |
//! | from another to the node | that one's affair while it lives; else as before |
//! | none, but the VM should run there | made for the node that takes it |
//!
//! What came to the node by a migration, and was not acknowledged, may run in a boot that the node
//! has told nobody of: it takes other proof ([`Coverage::arrived`]). If the node has booted again,
//! it keeps such a claim, and sees for itself.
//!
//! A batch of VMs is one transaction with the record, so that the record says what was done.

use std::collections::BTreeSet;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Claim, Fence, Moved, Node, Vm};
use pvc_common::state::{DaemonState, FencePhase, VmState};
use pvc_common::zk::{Expected, Op, Seen, Text, Version, key};

use super::evidence::{self, Coverage};
use super::step::{Goal, Note, Plan, Step};
use super::targets::Targets;
use super::{AfterFence, Situation, finish, prove};
use crate::place::{Ledger, Request};

/// How many VMs are settled in one transaction: few enough for its size, enough that a node's
/// worth takes a moment.
const BATCH: usize = 16;

/// After so many refusals in a row VMs are settled one by one: one of them may be in the way.
const PATIENCE: usize = 2;

pub(super) fn plan(
    s: &Situation<'_>,
    name: &NodeName,
    node: &Node,
    fence: &Fence,
    targets: &mut Targets<'_>,
    plan: &mut Plan,
) {
    let known = evidence::known(s, name, node, fence);
    if known.evidence != fence.evidence {
        prove::record(name, node, fence, known, plan);
        return;
    }
    let mut queue = Queue::default();
    if s.policy.successful == AfterFence::Migrate {
        let coverage = Coverage::of(fence, s.policy);
        for (uuid, vm) in targets.vms_of(name) {
            queue.take(s, name, coverage, *uuid, vm);
        }
    }
    plan.notes.extend(queue.unreadable.iter().map(|vm| Note::ClaimUnreadable { vm: *vm }));
    if queue.uncovered > 0 {
        prove::gather(s, name, fence, plan);
        plan.notes.push(Note::Uncovered { node: name.clone(), vms: queue.uncovered });
    }
    if queue.entangled > 0 {
        plan.notes.push(Note::Entangled { node: name.clone(), vms: queue.entangled });
    }
    // What only better proof would free is still rightly its own if it lives after all: it waits
    // for the end of its fence, and nobody will ever prove it dead.
    let keeps = queue.ready.is_empty() && queue.entangled == 0 && queue.uncovered > 0;
    if queue.is_empty() || keeps && finish::is_alive(s, name, node, fence) {
        // A BMC that is slow could still switch the node off after the end of its fence, when it
        // serves again: what was begun is waited for, as long as its deadline lets it take.
        if is_gathering(s, name) {
            return;
        }
        if s.policy.power_on && fence.power_cut {
            plan.steps.push(Step::PowerOn { node: name.clone() });
        }
        plan.steps.push(finish::finish(s, name, node, fence));
        return;
    }
    settle(s, name, node, fence, &queue.ready, targets.ledger(), plan);
}

/// Whether evidence against it is being gathered here.
fn is_gathering(s: &Situation<'_>, name: &NodeName) -> bool {
    let mut jobs = s.jobs.iter().filter(|((node, _), _)| node == name);
    jobs.any(|(_, job)| *job == evidence::Job::Running)
}

/// What is to become of a VM.
enum Lot {
    /// It runs elsewhere, where it can; `beside` is where it was going.
    Place { beside: Option<NodeName> },
    /// It goes to the node it was moving to.
    Give { to: NodeName },
    /// It should not run: only its claim has to go.
    Release { state: Option<VmState> },
}

/// The VMs that have to do with the node.
#[derive(Default)]
struct Queue<'a> {
    ready: Vec<(VmUuid, &'a Vm, Lot)>,
    uncovered: usize,
    entangled: usize,
    unreadable: Vec<VmUuid>,
}

impl<'a> Queue<'a> {
    fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.uncovered == 0 && self.entangled == 0
    }

    fn take(
        &mut self,
        s: &Situation<'_>,
        name: &NodeName,
        coverage: Coverage,
        uuid: VmUuid,
        vm: &'a Vm,
    ) {
        let assigned = vm.node.get().and_then(Option::as_ref) == Some(name);
        let going = vm.node.get().and_then(Option::as_ref).filter(|to| *to != name);
        let runs = vm.state.copied().is_some_and(wants_to_run);
        let lot = match &vm.claim {
            Seen::Bad { .. } => {
                if assigned {
                    self.unreadable.push(uuid);
                }
                return;
            }
            Seen::Absent if assigned && runs => Lot::Place { beside: None },
            Seen::Absent if assigned && vm.state.copied() == Some(VmState::Shutdown) => {
                Lot::Release { state: Some(VmState::Stop) }
            }
            Seen::Absent => return,
            Seen::Value { value: claim, .. } => match involved(s, name, claim, vm) {
                Involved::Not => return,
                Involved::Waits => {
                    self.entangled += 1;
                    return;
                }
                Involved::Arriving if !coverage.arrived(vm) => {
                    self.uncovered += usize::from(!coverage.sees_for_itself());
                    return;
                }
                Involved::Alone | Involved::Arriving if runs => {
                    Lot::Place { beside: going.cloned() }
                }
                Involved::Heir(to) if runs => Lot::Give { to },
                Involved::Heir(to) => Lot::Give { to },
                Involved::Alone | Involved::Arriving => {
                    let down = vm.state.copied() == Some(VmState::Shutdown);
                    Lot::Release { state: down.then_some(VmState::Stop) }
                }
            },
        };
        let arriving = vm.claim.get().is_some_and(|claim| claim.arriving);
        if vm.claim != Seen::Absent && !arriving && !coverage.vm(vm) {
            self.uncovered += 1;
        } else {
            self.ready.push((uuid, vm, lot));
        }
    }
}

/// How a claim concerns the dead node.
enum Involved {
    Not,
    /// Nobody but dead nodes can be running it.
    Alone,
    /// It came to the node by a migration, which the node has not acknowledged.
    Arriving,
    /// The target of its migration may be running it.
    Heir(NodeName),
    /// Another node has a say first: its own fence, or its own daemon.
    Waits,
}

fn involved(s: &Situation<'_>, name: &NodeName, claim: &Claim, vm: &Vm) -> Involved {
    match (&claim.holder, &claim.incoming) {
        (holder, None) if holder == name && claim.arriving => Involved::Arriving,
        (holder, None) if holder == name => Involved::Alone,
        (holder, Some(to)) if holder == name && to == name => Involved::Alone,
        (holder, Some(to)) if holder == name => target(s, to, vm),
        // The holder's own fence settles it if that is proved dead, too: it waits for ours.
        (_, Some(to)) if to == name => Involved::Waits,
        (_, Some(_) | None) => Involved::Not,
    }
}

/// Where a VM is that a dead node was sending: nowhere if its target is dead too, beyond doubt.
/// Else nobody but the target may be running it, whatever else is to be said of that.
fn target(s: &Situation<'_>, to: &NodeName, vm: &Vm) -> Involved {
    let Some(node) = s.view.nodes.get(to) else { return Involved::Alone };
    match node.liveness.fence.get() {
        Some(fence)
            if fence.phase == FencePhase::Recovering
                && Coverage::of(fence, s.policy).arrived(vm) =>
        {
            Involved::Alone
        }
        Some(_) | None => Involved::Heir(to.clone()),
    }
}

fn settle(
    s: &Situation<'_>,
    name: &NodeName,
    node: &Node,
    fence: &Fence,
    ready: &[(VmUuid, &Vm, Lot)],
    ledger: &mut Ledger<'_>,
    plan: &mut Plan,
) {
    let stumbled = s.sight.stumbled(name);
    let size = if stumbled > PATIENCE { 1 } else { BATCH };
    // What may well be refused again is nothing that other nodes' VMs are counted upon.
    let mut apart;
    let ledger = if size == 1 {
        apart = ledger.clone();
        &mut apart
    } else {
        ledger
    };
    let mut expected = node.liveness.fence.expected();
    let mut so_far = fence.clone();
    // One that is always refused must not keep the others waiting: begin with another each time.
    let first = if size == 1 { stumbled % ready.len().max(1) } else { 0 };
    let order = ready[first..].iter().chain(&ready[..first]);
    let order: Vec<_> = order.collect();
    for batch in order.chunks(size) {
        let mut settled = Settled::default();
        for (uuid, vm, lot) in batch.iter().copied() {
            settled.add(s, name, *uuid, vm, lot, ledger);
        }
        so_far.moved.extend(settled.moved.iter().map(|(vm, to)| Moved { vm: *vm, to: to.clone() }));
        so_far.waiting.extend(&settled.displaced);
        let record = Op::put(key::node_fence(name).into_path(), so_far.encode(), expected);
        expected = after(expected);
        let room = settled.placed.iter().filter_map(|to| ledger.reserve(to));
        let ops = std::iter::once(record).chain(std::mem::take(&mut settled.ops)).chain(room);
        let ops = ops.collect();
        let Settled { moved, displaced, released, .. } = settled;
        plan.write(name, Goal::Settle { moved, displaced, released }, ops);
    }
}

/// What a write over `expected` leaves behind.
const fn after(expected: Expected) -> Expected {
    match expected {
        Expected::Absent => Expected::Version(Version(0)),
        Expected::Version(Version(number)) => Expected::Version(Version(number.wrapping_add(1))),
    }
}

/// What a batch does.
#[derive(Default)]
struct Settled {
    ops: Vec<Op>,
    /// Where there has to be room for what is placed.
    placed: BTreeSet<NodeName>,
    moved: Vec<(VmUuid, NodeName)>,
    displaced: Vec<VmUuid>,
    released: Vec<VmUuid>,
}

impl Settled {
    fn add(
        &mut self,
        s: &Situation<'_>,
        name: &NodeName,
        uuid: VmUuid,
        vm: &Vm,
        lot: &Lot,
        ledger: &mut Ledger<'_>,
    ) {
        match lot {
            Lot::Release { state } => {
                let down = state.map(|state| key::vm_state(uuid).put(&vm.state, &state));
                let state = down.or_else(|| key::vm_state(uuid).check(&vm.state));
                self.ops.extend(state.into_iter().chain(key::vm_claim(uuid).delete(&vm.claim)));
                self.released.push(uuid);
            }
            Lot::Give { to } => self.give(name, uuid, vm, &Claim::arriving(to.clone())),
            Lot::Place { beside } => match place(s, name, uuid, vm, beside.as_ref(), ledger) {
                Some(to) => {
                    self.placed.insert(to.clone());
                    self.give(name, uuid, vm, &Claim::of(to));
                }
                None => {
                    self.ops.extend([
                        key::vm_state(uuid).put(&vm.state, &VmState::Stop),
                        key::vm_autostart(uuid).put(&vm.autostart, &true),
                        key::vm_node(uuid).put(&vm.node, &Some(name.clone())),
                        key::vm_displaced(uuid).put(&vm.displaced, &Some(name.clone())),
                    ]);
                    self.ops.extend(clear_origin(uuid, vm));
                    self.ops.extend(key::vm_claim(uuid).delete(&vm.claim));
                    self.displaced.push(uuid);
                }
            },
        }
    }

    /// Hands the VM over; where it was at home stays its home.
    fn give(&mut self, name: &NodeName, uuid: VmUuid, vm: &Vm, claim: &Claim) {
        let to = &claim.holder;
        self.ops.push(key::vm_claim(uuid).put(&vm.claim, claim));
        if vm.state.copied().is_some_and(wants_to_run) {
            let home = vm.last_node.get().cloned().flatten().unwrap_or_else(|| name.clone());
            let last_node = (home != *to).then_some(home);
            self.ops.extend([
                key::vm_state(uuid).put(&vm.state, &VmState::Start),
                key::vm_node(uuid).put(&vm.node, &Some(to.clone())),
                key::vm_last_node(uuid).put(&vm.last_node, &last_node),
            ]);
            self.ops.extend(clear_origin(uuid, vm));
        } else {
            self.ops.extend(key::vm_state(uuid).check(&vm.state));
        }
        self.moved.push((uuid, to.clone()));
    }
}

fn clear_origin(uuid: VmUuid, vm: &Vm) -> Option<Op> {
    vm.migrate_origin.get()?.as_ref()?;
    Some(key::vm_migrate_origin(uuid).put(&vm.migrate_origin, &None))
}

/// Where the VM shall run: where it was going, at home, or wherever its selector says.
fn place(
    s: &Situation<'_>,
    name: &NodeName,
    uuid: VmUuid,
    vm: &Vm,
    beside: Option<&NodeName>,
    ledger: &mut Ledger<'_>,
) -> Option<NodeName> {
    let limit: &[NodeName] = vm.node_limit.get().map_or(&[], Vec::as_slice);
    let request = Request {
        vm: Some(uuid),
        except: Some(name),
        limit,
        selector: vm.selector.copied().flatten(),
        needs: vm.resources.unwrap_or_default(),
        functions: &vm.functions,
    };
    let home = vm.last_node.get().and_then(Option::as_ref);
    let wished = beside.into_iter().chain(home).filter(|to| {
        let serves = s.view.nodes.get(to).and_then(|node| node.daemon_state.copied());
        serves == Some(DaemonState::Run) && (limit.is_empty() || limit.contains(to))
    });
    for to in wished {
        if let Ok(to) = ledger.place(&Request { limit: std::slice::from_ref(to), ..request }) {
            return Some(to);
        }
    }
    ledger.place(&request).ok()
}

pub(super) const fn wants_to_run(state: VmState) -> bool {
    match state {
        VmState::Start
        | VmState::Restart
        | VmState::Migrate
        | VmState::MigrateLive
        | VmState::Unmigrate => true,
        VmState::Shutdown
        | VmState::Stop
        | VmState::Disable
        | VmState::Fail
        | VmState::Provision
        | VmState::Import
        | VmState::Restore
        | VmState::Mirror
        | VmState::Delete => false,
    }
}
