//! What people wish, as the API writes it: with the tree as it is, in one transaction.

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Origin, Vm};
use pvc_common::state::{DaemonMode, DomainState, VmState};
use pvc_common::view::View;
use pvc_common::zk::{Op, Seen, key};
use pvc_plan::place::{Ledger, Request};

use crate::ensemble::Outcome;
use crate::script::Command;
use crate::world::{VmId, Whose, World};

/// The session of the API: it makes nothing that vanishes.
const API: usize = usize::MAX;

impl World {
    /// Whether a wish is granted, or pointless; `false` if it shall be tried again.
    pub(crate) fn grant(&mut self, command: &Command) -> bool {
        let view = self.view();
        let ops = match command {
            Command::Vm(vm, verb, node) => {
                let Some(which) = self.vms.iter().position(|facts| facts.name == *vm) else {
                    return true;
                };
                let uuid = self.vms[which].uuid;
                let Some(vm) = view.vms.get(&uuid) else { return true };
                let to = node.as_ref().and_then(|node| node.parse().ok());
                if verb == "remove" {
                    self.remove_later(which);
                }
                vm_ops(&view, uuid, vm, verb, to)
            }
            Command::Node(node, verb) => {
                let Ok(name) = node.parse::<NodeName>() else { return true };
                node_ops(&view, &name, verb)
            }
            Command::Maintenance(on) => {
                let text = if *on { "true" } else { "false" };
                vec![key::maintenance().put(&view.cluster.maintenance, &text.to_owned())]
            }
            Command::PowerCut(_)
            | Command::PowerOn(_)
            | Command::Bmc(..)
            | Command::Cut(..)
            | Command::Heal(_)
            | Command::OneWay(..)
            | Command::Loss(..)
            | Command::Mesh(..)
            | Command::Freeze(_)
            | Command::Thaw(_)
            | Command::Clock(..)
            | Command::ZooKeeper(..)
            | Command::Daemon(..)
            | Command::End => vec![],
        };
        self.write(&ops, API) == Outcome::Done
    }

    /// A VM's keys go once its claim is gone.
    fn remove_later(&mut self, which: VmId) {
        let uuid = self.vms[which].uuid;
        self.within(500, 1_000, Whose::Nobody, move |world| {
            if world.read(&key::vm_claim(uuid)) != Seen::Absent || world.ensemble.leader.is_none() {
                return world.remove_later(which);
            }
            if world.read(&key::vm_state(uuid)).copied() == Some(VmState::Delete) {
                world.tree.prune(key::vm_name(uuid).path());
                world.spread();
            }
        });
    }
}

fn node_ops(view: &View, name: &NodeName, verb: &str) -> Vec<Op> {
    let Some(node) = view.nodes.get(name) else { return vec![] };
    let turn = |to| vec![key::node_domain_state(name).put(&node.domain_state, &to)];
    let seat = &view.cluster.primary_node;
    match verb {
        "flush" => turn(DomainState::Flush),
        "ready" => turn(DomainState::Unflush),
        // The API refuses what is no coordinator.
        "primary" if node.mode.copied() != Some(DaemonMode::Coordinator) => vec![],
        "primary" => vec![key::primary_node().put(seat, &Some(name.clone()))],
        // Only who is primary can cease to be.
        "secondary" if seat.get().and_then(Option::as_ref) == Some(name) => {
            vec![key::primary_node().put(seat, &None)]
        }
        _ => vec![],
    }
}

fn vm_ops(view: &View, uuid: VmUuid, vm: &Vm, verb: &str, to: Option<NodeName>) -> Vec<Op> {
    let state = |to: VmState| vec![key::vm_state(uuid).put(&vm.state, &to)];
    let runs = vm.state.copied() == Some(VmState::Start);
    match verb {
        "start" => state(VmState::Start),
        "stop" => state(VmState::Stop),
        "shutdown" if runs => state(VmState::Shutdown),
        "restart" if runs => state(VmState::Restart),
        "disable" => state(VmState::Disable),
        "remove" => state(VmState::Delete),
        "migrate" | "move" if runs => {
            let here = vm.node.get().cloned().flatten();
            let Some(to) = to.or_else(|| place(view, uuid, vm)) else { return vec![] };
            if here.as_ref() == Some(&to) {
                return vec![];
            }
            let home = vm.last_node.get().cloned().flatten().or(here);
            let home = home.filter(|home| verb == "migrate" && *home != to);
            send(uuid, vm, to, home)
        }
        "unmigrate" if runs => match vm.last_node.get().cloned().flatten() {
            Some(home) => send(uuid, vm, home, None),
            None => vec![],
        },
        _ => vec![],
    }
}

fn send(uuid: VmUuid, vm: &Vm, to: NodeName, home: Option<NodeName>) -> Vec<Op> {
    let last_node = vm.last_node.get().cloned().flatten();
    let origin = vm.node.get().cloned().flatten().map(|node| Origin { node, last_node });
    vec![
        key::vm_state(uuid).put(&vm.state, &VmState::Migrate),
        key::vm_node(uuid).put(&vm.node, &Some(to)),
        key::vm_last_node(uuid).put(&vm.last_node, &home),
        key::vm_migrate_origin(uuid).put(&vm.migrate_origin, &origin),
    ]
}

fn place(view: &View, uuid: VmUuid, vm: &Vm) -> Option<NodeName> {
    let request = Request {
        vm: Some(uuid),
        except: vm.node.get().and_then(Option::as_ref),
        limit: vm.node_limit.get().map_or(&[], Vec::as_slice),
        selector: vm.selector.copied().flatten(),
        needs: vm.resources.unwrap_or_default(),
        functions: &vm.functions,
    };
    Ledger::open(view).place(&request).ok()
}
