//! VMs that no node could take when theirs died: they start as soon as one can.

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::Vm;
use pvc_common::state::VmState;
use pvc_common::zk::{Op, Seen, key};

use super::Situation;
use super::step::{Goal, Plan};
use super::targets::Targets;
use crate::place::Request;

pub(super) fn plan(s: &Situation<'_>, targets: &mut Targets<'_>, plan: &mut Plan) {
    for (uuid, vm) in s.view.vms.iter().filter(|(_, vm)| waits(vm)) {
        let limit: &[NodeName] = vm.node_limit.get().map_or(&[], Vec::as_slice);
        let request = Request {
            vm: Some(*uuid),
            except: None,
            limit,
            selector: vm.selector.copied().flatten(),
            needs: vm.resources.unwrap_or_default(),
            functions: &vm.functions,
        };
        if let Ok(to) = targets.ledger().place(&request) {
            let mut ops = start(*uuid, vm, &to);
            ops.extend(targets.ledger().reserve(&to));
            plan.write(&to.clone(), Goal::Place { vm: *uuid, to }, ops);
        }
    }
}

/// Whether it is as a fence left it: a person's wish since then is not ours to change.
fn waits(vm: &Vm) -> bool {
    vm.displaced.get().is_some_and(Option::is_some)
        && vm.state.copied() == Some(VmState::Stop)
        && vm.autostart.copied() == Some(true)
        && vm.claim == Seen::Absent
}

fn start(uuid: VmUuid, vm: &Vm, to: &NodeName) -> Vec<Op> {
    let from = vm.displaced.get().cloned().flatten();
    let home = vm.last_node.get().cloned().flatten().or(from).filter(|home| home != to);
    vec![
        key::vm_state(uuid).put(&vm.state, &VmState::Start),
        key::vm_node(uuid).put(&vm.node, &Some(to.clone())),
        key::vm_last_node(uuid).put(&vm.last_node, &home),
        key::vm_autostart(uuid).put(&vm.autostart, &false),
        key::vm_displaced(uuid).put(&vm.displaced, &None),
    ]
}
