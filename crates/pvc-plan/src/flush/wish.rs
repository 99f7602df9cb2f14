//! The transactions of flush and unflush.

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Origin, Vm};
use pvc_common::state::{DomainState, VmState};
use pvc_common::zk::{Op, key};

use super::{Desk, Goal, Write};
use crate::place::NoNode;

fn write(desk: Desk<'_>, goal: Goal, ops: impl IntoIterator<Item = Op>) -> Write {
    // Nothing is wished any more once the node's own state has changed.
    let still = key::node_domain_state(desk.me).check(&desk.own.domain_state);
    Write { goal, ops: ops.into_iter().chain(still).collect() }
}

/// Where the VM is now, for the way back.
fn origin(vm: &Vm) -> Option<Origin> {
    let node = vm.node.get()?.clone()?;
    Some(Origin { node, last_node: vm.last_node.get().cloned().flatten() })
}

/// Sends a VM away, where `room` is reserved for it; its home stays its home, and a VM that arrives
/// at home is not away.
pub(super) fn send_away(
    desk: Desk<'_>,
    uuid: VmUuid,
    vm: &Vm,
    to: NodeName,
    room: Option<Op>,
) -> Write {
    let home = vm.last_node.get().cloned().flatten().unwrap_or_else(|| desk.me.clone());
    let last_node = (home != to).then_some(home);
    let ops = [
        key::vm_state(uuid).put(&vm.state, &VmState::Migrate),
        key::vm_node(uuid).put(&vm.node, &Some(to.clone())),
        key::vm_last_node(uuid).put(&vm.last_node, &last_node),
        key::vm_migrate_origin(uuid).put(&vm.migrate_origin, &origin(vm)),
    ];
    write(desk, Goal::SendAway { vm: uuid, to }, ops.into_iter().chain(room))
}

/// Shuts a VM down that nobody else can take; it starts when this node is ready again.
pub(super) fn shut_down(desk: Desk<'_>, uuid: VmUuid, vm: &Vm, why: NoNode) -> Write {
    let ops = [
        key::vm_state(uuid).put(&vm.state, &VmState::Shutdown),
        key::vm_autostart(uuid).put(&vm.autostart, &true),
    ];
    let here = key::vm_node(uuid).check(&vm.node);
    write(desk, Goal::ShutDown { vm: uuid, why }, ops.into_iter().chain(here))
}

/// Assigns a VM to its home again; `state` where that has to change for it to come.
pub(super) fn fetch(desk: Desk<'_>, uuid: VmUuid, vm: &Vm, state: Option<VmState>) -> Write {
    let coming = state == Some(VmState::Migrate);
    let origin = if coming { origin(vm) } else { None };
    let ops = [
        key::vm_node(uuid).put(&vm.node, &Some(desk.me.clone())),
        key::vm_last_node(uuid).put(&vm.last_node, &None),
        key::vm_migrate_origin(uuid).put(&vm.migrate_origin, &origin),
    ];
    let state = match state {
        Some(state) => Some(key::vm_state(uuid).put(&vm.state, &state)),
        None => key::vm_state(uuid).check(&vm.state),
    };
    // Whether it has to move was decided on who holds it.
    let held = key::vm_claim(uuid).check(&vm.claim);
    write(desk, Goal::Fetch { vm: uuid }, ops.into_iter().chain(state).chain(held))
}

/// Starts a VM that waited for this node.
pub(super) fn start(desk: Desk<'_>, uuid: VmUuid, vm: &Vm) -> Write {
    let ops = [
        key::vm_state(uuid).put(&vm.state, &VmState::Start),
        key::vm_autostart(uuid).put(&vm.autostart, &false),
        key::vm_last_node(uuid).put(&vm.last_node, &None),
    ];
    let displaced = vm.displaced.get().is_some_and(Option::is_some);
    let placed = displaced.then(|| key::vm_displaced(uuid).put(&vm.displaced, &None));
    let here = key::vm_node(uuid).check(&vm.node);
    write(desk, Goal::Start { vm: uuid }, ops.into_iter().chain(placed).chain(here))
}

/// Ends the flush or the unflush.
pub(super) fn turn(desk: Desk<'_>, to: DomainState, goal: Goal) -> Write {
    let ops = vec![key::node_domain_state(desk.me).put(&desk.own.domain_state, &to)];
    Write { goal, ops }
}
