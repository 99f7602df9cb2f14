//! Flush: the node's VMs go elsewhere, or down where nobody else can take them.

use std::collections::BTreeSet;

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::Vm;
use pvc_common::state::{DomainState, VmState};

use super::{Desk, Goal, PARALLEL, Plan, Turn, Write, runs, wish};
use crate::place::{Ledger, Request};

pub(super) fn plan(desk: Desk<'_>, turn: impl Fn(VmUuid) -> Turn) -> Plan {
    let mine = || desk.view.vms.iter().filter(|(_, vm)| concerns(desk, vm));
    let remaining: BTreeSet<VmUuid> = mine().map(|(uuid, _)| *uuid).collect();
    if remaining.is_empty() {
        let writes = vec![wish::turn(desk, DomainState::Flushed, Goal::Flushed)];
        return Plan { writes, remaining };
    }
    let under_way = mine().filter(|(_, vm)| !may_be_sent(desk, vm)).count();
    let mut ledger = Ledger::open(desk.view);
    let writes = mine()
        .filter(|(uuid, vm)| may_be_sent(desk, vm) && turn(**uuid) == Turn::Now)
        .take(PARALLEL.saturating_sub(under_way))
        .map(|(uuid, vm)| send(desk, *uuid, vm, &mut ledger))
        .collect();
    Plan { writes, remaining }
}

/// Whether a VM keeps the node from being empty: it is or may be running here, or is about to.
///
/// A VM that failed, or that somebody is working on, holds nothing up.
fn concerns(desk: Desk<'_>, vm: &Vm) -> bool {
    let will_start = desk.assigned(vm) && vm.state.copied().is_some_and(runs);
    let ending = match vm.state.copied() {
        Some(VmState::Shutdown | VmState::Stop | VmState::Disable | VmState::Delete) => true,
        Some(state) => runs(state),
        None => false,
    };
    will_start || (desk.holds(vm) && ending)
}

/// Whether it waits for its turn; anything else is under way already.
fn may_be_sent(desk: Desk<'_>, vm: &Vm) -> bool {
    desk.assigned(vm) && vm.state.copied() == Some(VmState::Start)
}

fn send(desk: Desk<'_>, uuid: VmUuid, vm: &Vm, ledger: &mut Ledger<'_>) -> Write {
    let limit: &[NodeName] = vm.node_limit.get().map_or(&[], Vec::as_slice);
    let request = Request {
        vm: Some(uuid),
        except: Some(desk.me),
        limit,
        selector: vm.selector.copied().flatten(),
        needs: vm.resources.unwrap_or_default(),
        functions: &vm.functions,
    };
    // A VM that is away from home goes home if it can.
    let home = vm.last_node.get().and_then(Option::as_ref).filter(|home| *home != desk.me);
    let welcome = home.filter(|home| limit.is_empty() || limit.contains(home));
    let homeward = welcome.and_then(|home| {
        ledger.place(&Request { limit: std::slice::from_ref(home), ..request }).ok()
    });
    match homeward.map_or_else(|| ledger.place(&request), Ok) {
        Ok(to) => {
            let room = ledger.reserve(&to);
            wish::send_away(desk, uuid, vm, to, room)
        }
        Err(why) => wish::shut_down(desk, uuid, vm, why),
    }
}
