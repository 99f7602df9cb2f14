//! Unflush: what left comes home, what waited starts.

use std::collections::BTreeSet;

use pvc_common::id::VmUuid;
use pvc_common::model::Vm;
use pvc_common::state::{DaemonState, DomainState, VmState};

use super::{Desk, Goal, PARALLEL, Plan, Turn, Write, runs, wish};

pub(super) fn plan(desk: Desk<'_>, turn: impl Fn(VmUuid) -> Turn) -> Plan {
    let mut remaining = BTreeSet::new();
    let mut writes = Vec::new();
    let mut under_way = 0;
    let mut waiting: Vec<(VmUuid, &Vm)> = Vec::new();
    for (uuid, vm) in &desk.view.vms {
        if waited(desk, vm) {
            remaining.insert(*uuid);
            writes.push(wish::start(desk, *uuid, vm));
        } else if !reachable(desk, vm) {
            // It comes when its holder is back, or proved dead: nobody knows when that will be.
        } else if coming(desk, vm) {
            remaining.insert(*uuid);
            under_way += 1;
        } else if desk.at_home_here(vm) {
            match turn(*uuid) {
                Turn::Now => waiting.push((*uuid, vm)),
                Turn::Later => {}
                Turn::Never => continue,
            }
            remaining.insert(*uuid);
        }
    }
    if remaining.is_empty() {
        let writes = vec![wish::turn(desk, DomainState::Ready, Goal::Ready)];
        return Plan { writes, remaining };
    }
    // What never left, or does not run, moves no memory: it is not counted.
    let (costly, free): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, vm)| moves(desk, vm));
    let room = PARALLEL.saturating_sub(under_way);
    let fetched = free.into_iter().chain(costly.into_iter().take(room));
    writes.extend(fetched.map(|(uuid, vm)| fetch(desk, uuid, vm)));
    Plan { writes, remaining }
}

fn fetch(desk: Desk<'_>, uuid: VmUuid, vm: &Vm) -> Write {
    let state = vm.state.copied().filter(|state| runs(*state));
    match state {
        // It has not left yet, or runs nowhere: being assigned here again is all it needs.
        Some(_) if !moves(desk, vm) => wish::fetch(desk, uuid, vm, Some(VmState::Start)),
        Some(_) => wish::fetch(desk, uuid, vm, Some(VmState::Migrate)),
        None => wish::fetch(desk, uuid, vm, None),
    }
}

/// It was shut down for want of another node, or shall start with this one.
fn waited(desk: Desk<'_>, vm: &Vm) -> bool {
    let down = match vm.state.copied() {
        Some(VmState::Stop | VmState::Shutdown) => true,
        Some(
            VmState::Start
            | VmState::Restart
            | VmState::Disable
            | VmState::Fail
            | VmState::Migrate
            | VmState::MigrateLive
            | VmState::Unmigrate
            | VmState::Provision
            | VmState::Import
            | VmState::Restore
            | VmState::Mirror
            | VmState::Delete,
        )
        | None => false,
    };
    down && desk.assigned(vm) && vm.autostart.copied() == Some(true)
}

/// It is on its way here.
fn coming(desk: Desk<'_>, vm: &Vm) -> bool {
    desk.assigned(vm)
        && vm.claim.get().is_some()
        && !desk.holds(vm)
        && vm.state.copied().is_some_and(runs)
}

/// Another node runs it: it has to be moved, live or not.
fn moves(desk: Desk<'_>, vm: &Vm) -> bool {
    vm.claim.get().is_some() && !desk.holds(vm)
}

/// Nobody holds it, or the one who does can let it go. What a dead node holds is recovered by
/// the fence, not by us.
fn reachable(desk: Desk<'_>, vm: &Vm) -> bool {
    vm.claim.get().is_none_or(|claim| {
        let holder = desk.view.nodes.get(&claim.holder);
        holder.is_some_and(|node| node.daemon_state.copied() == Some(DaemonState::Run))
    })
}
