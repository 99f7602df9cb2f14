//! Where a VM shall run: for a time, for good, or at home again.

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Origin, Vm};
use pvc_common::state::{DaemonState, DomainState, VmState};
use pvc_common::view::View;
use pvc_common::zk::key;
use pvc_plan::place::{Ledger, Refusal, Request};
use pvc_plan::sriov::lack;

use super::sriov::code;
use super::{Change, unreadable};
use crate::api::ApiError;

/// What kind of move is wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MoveKind {
    /// For a time: the VM remembers its home.
    Migrate,
    /// For good.
    Move,
    /// Back home.
    Unmigrate,
}

impl MoveKind {
    /// The words of the API.
    pub(crate) const WORDS: &[(&'static str, Self)] =
        &[("migrate", Self::Migrate), ("unmigrate", Self::Unmigrate), ("move", Self::Move)];
}

/// What is wished of a VM's place.
#[derive(Clone, Debug)]
pub(crate) struct MoveWish {
    /// What kind of move.
    pub(crate) kind: MoveKind,
    /// To which node; `None` for the best one.
    pub(crate) target: Option<NodeName>,
    /// Whether a VM that is away may go further away.
    pub(crate) force: bool,
    /// Whether it moves live or not at all.
    pub(crate) live_only: bool,
}

/// Assigns a VM to another node; a VM that runs is asked to migrate there.
pub(crate) fn move_vm(
    uuid: VmUuid,
    name: &str,
    vm: &Vm,
    view: &View,
    wish: &MoveWish,
) -> Result<Change, ApiError> {
    let here = vm.node.get().and_then(Option::as_ref).ok_or_else(|| unreadable("The VM's node"))?;
    if wish.live_only && view.vms.get(&uuid).is_some_and(|vm| vm.has_hardware()) {
        let why = format!("VM '{name}' has hardware of its node, with which it cannot move live.");
        return refuse("has-hardware", why);
    }
    let home = vm.last_node.get().and_then(Option::as_ref);
    match wish.kind {
        MoveKind::Unmigrate => {
            let Some(home) = home else {
                return refuse(
                    "not-migrated",
                    format!("VM '{name}' has not been previously migrated."),
                );
            };
            runs_vms(view, home)?;
            has_functions(uuid, name, view, home)?;
            let message = format!("Unmigrating VM '{name}' back to node '{home}'.");
            relocate(uuid, vm, view, &Way { here, to: home, last_node: None }, wish, message)
        }
        MoveKind::Migrate => {
            if home.is_some() && !wish.force {
                return refuse(
                    "already-migrated",
                    format!("VM '{name}' has been previously migrated."),
                );
            }
            let target = target(uuid, name, vm, view, here, wish)?;
            let home = home.unwrap_or(here);
            let last_node = (*home != target).then_some(home);
            let message = format!("Migrating VM '{name}' to node '{target}'.");
            relocate(uuid, vm, view, &Way { here, to: &target, last_node }, wish, message)
        }
        MoveKind::Move => {
            if home.is_some() && wish.target.as_ref() == Some(here) {
                return stay(uuid, name, vm);
            }
            let target = target(uuid, name, vm, view, here, wish)?;
            let message = format!("Permanently migrating VM '{name}' to node '{target}'.");
            relocate(uuid, vm, view, &Way { here, to: &target, last_node: None }, wish, message)
        }
    }
}

fn refuse<T>(code: &'static str, why: String) -> Result<T, ApiError> {
    Err(ApiError::refused(code, format!("ERROR: {why}")))
}

/// The wished node, if it can take the VM, or the best one.
fn target(
    uuid: VmUuid,
    name: &str,
    vm: &Vm,
    view: &View,
    here: &NodeName,
    wish: &MoveWish,
) -> Result<NodeName, ApiError> {
    let limit = vm.node_limit.get().ok_or_else(|| unreadable("The VM's node limit"))?;
    let request = Request {
        vm: Some(uuid),
        except: Some(here),
        limit,
        selector: vm.selector.copied().flatten(),
        needs: view.vms.get(&uuid).and_then(|vm| vm.resources).unwrap_or_default(),
        functions: view.vms.get(&uuid).map_or(&[], |vm| vm.functions.as_slice()),
    };
    let Some(target) = &wish.target else {
        return Ledger::open(view).place(&request).or_else(|none| {
            let why = format!("Could not find a valid migration target for VM '{name}': {none}");
            refuse("no-target", why)
        });
    };
    let Some(node) = view.nodes.get(target) else {
        return refuse("no-such-node", format!("Specified node '{target}' is invalid."));
    };
    if target == here {
        return refuse(
            "already-there",
            format!("VM '{name}' is already running on node '{target}'."),
        );
    }
    if !limit.is_empty() && !limit.contains(target) {
        return refuse(
            "not-in-limit",
            format!(
                "Specified node '{target}' is not in the allowed list of nodes for VM '{name}'."
            ),
        );
    }
    runs_vms(view, target)?;
    if node.daemon_state.copied() != Some(DaemonState::Run) {
        return refuse("node-not-active", format!("Specified node '{target}' is not active."));
    }
    if node.domain_state.copied() != Some(DomainState::Ready) {
        return refuse("node-not-ready", format!("Specified node '{target}' is not ready."));
    }
    has_functions(uuid, name, view, target)?;
    // What does not run takes no room there yet; whether it fits is seen when it starts.
    if vm.state.copied() == Some(VmState::Start) {
        fits(name, target, Ledger::open(view).refusal(target, node, &request))?;
    }
    Ok(target.clone())
}

/// Refuses a node that says that it runs no VMs.
pub(crate) fn runs_vms(view: &View, target: &NodeName) -> Result<(), ApiError> {
    if view.nodes.get(target).is_some_and(|node| node.is_without_vms()) {
        return refuse("runs-no-vms", format!("Specified node '{target}' runs no VMs."));
    }
    Ok(())
}

/// Whether a node has the functions of cards that the VM needs, and has them free.
fn has_functions(uuid: VmUuid, name: &str, view: &View, target: &NodeName) -> Result<(), ApiError> {
    let functions = view.vms.get(&uuid).map_or(&[][..], |vm| &vm.functions);
    match lack(view, target, Some(uuid), functions) {
        None => Ok(()),
        Some(lack) => refuse(
            code(&lack),
            format!("VM '{name}' cannot have its interfaces on node '{target}': {lack}."),
        ),
    }
}

/// Whether the named node has room for the VM.
fn fits(name: &str, target: &NodeName, refusal: Option<Refusal>) -> Result<(), ApiError> {
    match refusal {
        Some(lack @ (Refusal::Memory { .. } | Refusal::Processors { .. })) => {
            refuse("does-not-fit", format!("VM '{name}' does not fit on node '{target}': {lack}."))
        }
        // Figures that are not known are no reason against a node that somebody named; the
        // other reasons have been told already, each in its own words.
        Some(
            Refusal::FiguresUnreadable
            | Refusal::Functions(_)
            | Refusal::Leaving
            | Refusal::NotInLimit
            | Refusal::NotReady
            | Refusal::WithoutVms,
        )
        | None => Ok(()),
    }
}

/// From where to where a VM is to go, and where it is at home if not there.
struct Way<'a> {
    here: &'a NodeName,
    to: &'a NodeName,
    last_node: Option<&'a NodeName>,
}

fn relocate(
    uuid: VmUuid,
    vm: &Vm,
    view: &View,
    way: &Way<'_>,
    wish: &MoveWish,
    message: String,
) -> Result<Change, ApiError> {
    let now = vm.state.copied().ok_or_else(|| unreadable("The VM's state"))?;
    let state_key = key::vm_state(uuid);
    let (state, origin) = match now {
        VmState::Start => {
            let state = if wish.live_only { VmState::MigrateLive } else { VmState::Migrate };
            let origin =
                Origin { node: way.here.clone(), last_node: vm.last_node.get().cloned().flatten() };
            (Some(state_key.put(&vm.state, &state)), Some(origin))
        }
        VmState::Migrate | VmState::MigrateLive | VmState::Unmigrate => {
            return refuse("moving", "The VM is being migrated at this moment.".to_owned());
        }
        VmState::Restart | VmState::Shutdown | VmState::Delete => {
            return refuse("busy", "The VM is being shut down at this moment.".to_owned());
        }
        VmState::Stop
        | VmState::Disable
        | VmState::Fail
        | VmState::Provision
        | VmState::Import
        | VmState::Restore
        | VmState::Mirror => (state_key.check(&vm.state), None),
    };
    // What does not run takes no room.
    let room = origin.is_some().then(|| Ledger::open(view).reserve(way.to)).flatten();
    let ops = [
        state,
        Some(key::vm_node(uuid).put(&vm.node, &Some(way.to.clone()))),
        Some(key::vm_last_node(uuid).put(&vm.last_node, &way.last_node.cloned())),
        Some(key::vm_migrate_origin(uuid).put(&vm.migrate_origin, &origin)),
        key::vm_displaced(uuid).delete(&vm.displaced),
        key::vm_claim(uuid).check(&vm.claim),
        room,
    ];
    Ok(Change::of(ops, message))
}

/// Makes the node a VM is away on its home.
fn stay(uuid: VmUuid, name: &str, vm: &Vm) -> Result<Change, ApiError> {
    let ops = [
        Some(key::vm_last_node(uuid).put(&vm.last_node, &None)),
        key::vm_displaced(uuid).delete(&vm.displaced),
        key::vm_node(uuid).check(&vm.node),
        key::vm_state(uuid).check(&vm.state),
    ];
    Ok(Change::of(ops, format!("Making temporary migration permanent for VM '{name}'.")))
}

#[cfg(test)]
mod tests;
