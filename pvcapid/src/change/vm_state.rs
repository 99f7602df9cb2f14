//! What a VM shall be doing.

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::Vm;
use pvc_common::state::{DaemonState, VmState, Word};
use pvc_common::view::View;
use pvc_common::zk::key;

use super::sriov::check_functions;
use super::{Change, storage, unreadable};
use crate::api::ApiError;

/// What is wished of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateWish {
    /// Run.
    Start,
    /// Shut down in order.
    Shutdown,
    /// Be cut off at once.
    Stop,
    /// Shut down in order and start again.
    Restart,
    /// Not run, by decision and not by fault.
    Disable,
}

impl StateWish {
    /// The words of the API.
    pub(crate) const WORDS: &[(&'static str, Self)] = &[
        ("start", Self::Start),
        ("shutdown", Self::Shutdown),
        ("stop", Self::Stop),
        ("restart", Self::Restart),
        ("disable", Self::Disable),
    ];

    const fn state(self) -> VmState {
        match self {
            Self::Start => VmState::Start,
            Self::Shutdown => VmState::Shutdown,
            Self::Stop => VmState::Stop,
            Self::Restart => VmState::Restart,
            Self::Disable => VmState::Disable,
        }
    }

    fn message(self, name: &str) -> String {
        match self {
            Self::Start => format!("Starting VM '{name}'."),
            Self::Shutdown => format!("Shutting down VM '{name}'"),
            Self::Stop => format!("Forcibly stopping VM '{name}'."),
            Self::Restart => format!("Restarting VM '{name}'."),
            Self::Disable => format!("Disabled VM '{name}'."),
        }
    }

    /// What is told when the wish was waited for and is fulfilled.
    pub(crate) fn done(self, name: &str) -> String {
        match self {
            Self::Start => format!("Started VM '{name}'."),
            Self::Shutdown => format!("Shut down VM '{name}'"),
            Self::Stop => format!("Forcibly stopped VM '{name}'."),
            Self::Restart => format!("Restarted VM '{name}'."),
            Self::Disable => self.message(name),
        }
    }

    /// Whether the wish is fulfilled in `vm`; `Err` says why it never will be.
    pub(crate) fn fulfilled(self, vm: &Vm) -> Result<bool, String> {
        let idle = vm.claim.get().is_none();
        let state = vm.state.copied();
        if state == Some(VmState::Fail) {
            return Err(vm.failed_reason.get().cloned().unwrap_or_default());
        }
        Ok(match self {
            Self::Start | Self::Restart => state == Some(VmState::Start) && !idle,
            Self::Shutdown | Self::Stop => state == Some(VmState::Stop) && idle,
            Self::Disable => state == Some(VmState::Disable) && idle,
        })
    }
}

/// Writes what a VM shall be doing. A displaced VM is no longer: now this wish rules.
pub(crate) fn set_state(
    uuid: VmUuid,
    name: &str,
    vm: &Vm,
    view: &View,
    wish: StateWish,
    force: bool,
) -> Result<Change, ApiError> {
    let now = vm.state.copied().ok_or_else(|| unreadable("The VM's state"))?;
    permitted(name, now, wish, force)?;
    let message = wish.message(name);
    let starting = wish == StateWish::Start;
    if starting {
        storage::has_whole_volumes(view, uuid)?;
        let on = vm.node.get().and_then(Option::as_ref);
        if let Some((node, known)) = on.zip(view.vms.get(&uuid)) {
            check_functions(Some(uuid), &known.functions, node, view)?;
        }
    }
    if starting && waits(vm, view) {
        // It starts as soon as it can already; on its dead node it would not.
        let message = format!("VM '{name}' waits for a node that can take it, and starts there.");
        return Ok(Change::nothing(message));
    }
    if starting {
        node_runs_vms(name, vm, view)?;
    }
    let displaced = key::vm_displaced(uuid).delete(&vm.displaced);
    // A VM on its way is started already; to say so once more would call it back.
    let under_way = matches!(now, VmState::Migrate | VmState::MigrateLive | VmState::Unmigrate);
    if now == wish.state() || (starting && under_way) {
        let check = displaced.is_some().then(|| key::vm_state(uuid).check(&vm.state)).flatten();
        return Ok(Change::of([displaced, check], message));
    }
    let state = key::vm_state(uuid).put(&vm.state, &wish.state());
    let old_reason = vm.failed_reason.get().filter(|reason| starting && !reason.is_empty());
    let reason =
        old_reason.map(|_| key::vm_failed_reason(uuid).put(&vm.failed_reason, &String::new()));
    Ok(Change::of([Some(state), reason, displaced], message))
}

/// Refuses to start a VM on a node that runs none: nothing would come of it, and nobody be told.
fn node_runs_vms(name: &str, vm: &Vm, view: &View) -> Result<(), ApiError> {
    let node = vm.node.get().and_then(Option::as_ref);
    let without =
        |node: &&NodeName| view.nodes.get(*node).is_some_and(|node| node.is_without_vms());
    node.filter(without).map_or(Ok(()), |node| {
        let why = format!(
            "ERROR: VM '{name}' cannot start: its node '{node}' runs no VMs (enable_hypervisor is \
             False there). Move the VM to another node first."
        );
        Err(ApiError::refused("runs-no-vms", why))
    })
}

/// Whether the VM is as a fence left it, so that it starts as soon as a node can take it, and
/// its own node cannot.
fn waits(vm: &Vm, view: &View) -> bool {
    let node = vm.node.get().and_then(|node| view.nodes.get(node.as_ref()?));
    vm.displaced.get().is_some_and(Option::is_some)
        && vm.state.copied() == Some(VmState::Stop)
        && vm.autostart.copied() == Some(true)
        && node.is_none_or(|node| node.daemon_state.copied() != Some(DaemonState::Run))
}

fn permitted(name: &str, now: VmState, wish: StateWish, force: bool) -> Result<(), ApiError> {
    let refuse = |code, why: String| Err(ApiError::refused(code, format!("ERROR: {why}")));
    if now == VmState::Delete {
        return refuse("being-removed", format!("VM '{name}' is being removed!"));
    }
    match wish {
        StateWish::Restart | StateWish::Shutdown => {
            if now == VmState::Start || now == wish.state() {
                return Ok(());
            }
            refuse("not-started", format!("VM '{name}' is not in 'start' state!"))
        }
        StateWish::Start | StateWish::Stop | StateWish::Disable => match now {
            VmState::Mirror if !force => {
                let verb = wish.state().text();
                refuse("mirror", format!("VM '{name}' is a snapshot mirror and {verb} not forced!"))
            }
            VmState::Provision | VmState::Import | VmState::Restore if !force => {
                refuse("busy", format!("VM '{name}' is in state '{}' and not forced!", now.text()))
            }
            VmState::Provision
            | VmState::Import
            | VmState::Restore
            | VmState::Mirror
            | VmState::Start
            | VmState::Restart
            | VmState::Shutdown
            | VmState::Stop
            | VmState::Disable
            | VmState::Fail
            | VmState::Migrate
            | VmState::MigrateLive
            | VmState::Unmigrate
            | VmState::Delete => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pvc_common::model::{Liveness, Node, Presence};
    use pvc_common::zk::{Op, Seen, Version};

    use super::*;

    fn seen<T>(value: T) -> Seen<T> {
        Seen::Value { value, version: Version(2) }
    }

    fn vm(state: VmState) -> Vm {
        Vm { state: seen(state), failed_reason: seen("no memory".to_owned()), ..Vm::default() }
    }

    const UUID: &str = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10";

    fn outcome(now: VmState, wish: StateWish, force: bool) -> Result<usize, String> {
        set_state(UUID.parse().unwrap(), "web1", &vm(now), &View::default(), wish, force)
            .map(|change| change.ops.len())
            .map_err(|error| format!("{error:?}"))
    }

    /// What is written for a VM that was taken from hv3, whose daemon is in `state` now.
    fn displaced(state: DaemonState, wish: StateWish) -> Vec<Op> {
        let hv3 = || Some("hv3".parse().unwrap());
        let vm = Vm {
            displaced: seen(hv3()),
            node: seen(hv3()),
            autostart: seen(true),
            ..vm(VmState::Stop)
        };
        let mut view = View::default();
        let node = Node { daemon_state: seen(state), ..Node::default() };
        view.nodes.insert("hv3".parse().unwrap(), Arc::new(node));
        set_state(UUID.parse().unwrap(), "web1", &vm, &view, wish, false).unwrap().ops
    }

    #[test]
    fn a_displaced_vm_obeys_the_persons_wish_from_now_on() {
        let freed = key::vm_displaced(UUID.parse().unwrap()).delete(&seen(None)).unwrap();
        for (state, wish) in [
            (DaemonState::Fenced, StateWish::Stop),
            (DaemonState::Fenced, StateWish::Disable),
            (DaemonState::Run, StateWish::Start),
        ] {
            let ops = displaced(state, wish);
            assert!(ops.contains(&freed), "{wish:?}: {ops:?}");
            assert!(ops.iter().any(|op| op.path().ends_with("/state")), "{wish:?}: {ops:?}");
        }
    }

    #[test]
    fn a_displaced_vm_that_shall_start_goes_on_waiting_for_a_node() {
        assert_eq!(displaced(DaemonState::Fenced, StateWish::Start), []);
    }

    #[test]
    fn a_vm_does_not_start_on_a_node_that_runs_none() {
        let hv3 = || Some("hv3".parse().unwrap());
        let started = |without_vms: bool| {
            let presence = seen(Presence { without_vms, ..Presence::default() });
            let liveness = Liveness { presence, ..Liveness::default() };
            let mut view = View::default();
            let node = Node { liveness, ..Node::default() };
            view.nodes.insert("hv3".parse().unwrap(), Arc::new(node));
            let vm = Vm { node: seen(hv3()), ..vm(VmState::Stop) };
            let wish = StateWish::Start;
            set_state(UUID.parse().unwrap(), "web1", &vm, &view, wish, false)
        };
        assert!(started(false).is_ok());
        let error = format!("{:?}", started(true).unwrap_err());
        let told = error.contains("its node 'hv3' runs no VMs") && error.contains("Move the VM");
        assert!(told, "{error}");
    }

    #[test]
    fn only_a_started_vm_restarts_or_shuts_down() {
        for wish in [StateWish::Restart, StateWish::Shutdown] {
            assert_eq!(outcome(VmState::Start, wish, false), Ok(1));
            let error = outcome(VmState::Stop, wish, false).unwrap_err();
            assert!(error.contains("ERROR: VM 'web1' is not in 'start' state!"), "{error}");
        }
    }

    #[test]
    fn a_mirror_changes_only_by_force() {
        for wish in [StateWish::Start, StateWish::Stop, StateWish::Disable] {
            assert!(outcome(VmState::Mirror, wish, false).is_err());
            assert!(outcome(VmState::Mirror, wish, true).is_ok());
        }
    }

    #[test]
    fn starting_a_vm_forgets_why_it_failed() {
        assert_eq!(outcome(VmState::Fail, StateWish::Start, false), Ok(2));
    }

    #[test]
    fn a_vm_on_its_way_is_not_called_back_by_a_start() {
        assert_eq!(outcome(VmState::Migrate, StateWish::Start, false), Ok(0));
    }

    #[test]
    fn a_vm_being_removed_stays_so() {
        for (_, wish) in StateWish::WORDS {
            assert!(outcome(VmState::Delete, *wish, true).is_err());
        }
    }
}
