//! When a VM is where it was sent.
//!
//! A VM is on its way in the states `restart`, `shutdown` and `migrate*`, and at rest in all
//! others; the API itself puts it on its way. Waiting ends at rest: well if that is the goal,
//! badly if it is not. A VM that was never seen on its way was either quicker than this
//! client looks, or the API does not show the change yet; after [`SHOWN_WITHIN`] it was the
//! former.

use std::time::Duration;

use pvc_client::{Request, call};
use pvc_common::api;
use pvc_common::state::{VmState, Word};

use super::{Goal, Verdict, Vms, only};

/// A server shows a change that it has confirmed at the latest after this. Ours does so at
/// once; the rest is for one that reads from another member of the ensemble than it writes.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// A VM that cannot be started is found out within this: its node writes `start` before it
/// starts the VM again, and `fail` if it cannot.
const PROVEN_AFTER: Duration = Duration::from_secs(2);

/// In which state a VM shall come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Shut down.
    Stopped,
    /// Shut down and started again.
    Restarted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Aim {
    State(Rest),
    /// Another node: which one if known, and where it was.
    Node {
        target: Option<String>,
        origin: String,
    },
}

/// Waits for one VM.
#[derive(Debug)]
pub(crate) struct VmGoal {
    vm: String,
    aim: Aim,
    done: String,
    begun: bool,
    /// Since when it has been seen to be wanted running at its goal.
    there_since: Option<Duration>,
}

impl VmGoal {
    /// The VM shall come to rest in a state; `done` is told then.
    pub(crate) fn state(vm: &str, rest: Rest, done: String) -> Self {
        Self { vm: vm.to_owned(), aim: Aim::State(rest), done, begun: false, there_since: None }
    }

    /// The VM shall come to rest on `target`, or on any node but `origin`.
    pub(crate) fn node(vm: &str, target: Option<String>, origin: &str) -> Self {
        let origin = origin.to_owned();
        Self {
            vm: vm.to_owned(),
            aim: Aim::Node { target, origin },
            done: String::new(),
            begun: false,
            there_since: None,
        }
    }

    fn judge_vm(&mut self, vm: &api::Vm, elapsed: Duration) -> Verdict {
        let name = &vm.name;
        let Ok(state) = VmState::parse(&vm.state) else {
            return Verdict::Failed(format!("VM '{name}' is in the unknown state {}.", vm.state));
        };
        if self.is_there(vm, state, elapsed) {
            return self.arrived(vm, state, elapsed);
        }
        self.there_since = None;
        match state {
            VmState::Restart
            | VmState::Shutdown
            | VmState::Migrate
            | VmState::MigrateLive
            | VmState::Unmigrate => {
                self.begun = true;
                Verdict::Waiting(format!("{name}: {state} on {}", vm.node, state = vm.state))
            }
            VmState::Fail => Verdict::Failed(failure(vm)),
            VmState::Start
            | VmState::Stop
            | VmState::Disable
            | VmState::Provision
            | VmState::Import
            | VmState::Restore
            | VmState::Mirror
            | VmState::Delete => self.rests_elsewhere(vm, elapsed),
        }
    }

    /// Whether the VM rests at its goal.
    fn is_there(&self, vm: &api::Vm, state: VmState, elapsed: Duration) -> bool {
        let stopped = matches!(state, VmState::Stop | VmState::Disable);
        match &self.aim {
            Aim::State(Rest::Stopped) => stopped,
            // It was running before, so that it must have been down since.
            Aim::State(Rest::Restarted) => {
                state == VmState::Start && (self.begun || elapsed > SHOWN_WITHIN)
            }
            Aim::Node { target, origin } => {
                let there = match target {
                    Some(target) => vm.node == *target,
                    None => vm.node != *origin,
                };
                there && (stopped || state == VmState::Start)
            }
        }
    }

    fn arrived(&mut self, vm: &api::Vm, state: VmState, elapsed: Duration) -> Verdict {
        let since = *self.there_since.get_or_insert(elapsed);
        if state == VmState::Start && elapsed.saturating_sub(since) < PROVEN_AFTER {
            return Verdict::Waiting(format!("{}: start on {}, making sure", vm.name, vm.node));
        }
        Verdict::Done(match &self.aim {
            Aim::State(_) => self.done.clone(),
            Aim::Node { .. } => format!("VM '{}' is on node '{}'.", vm.name, vm.node),
        })
    }

    fn rests_elsewhere(&self, vm: &api::Vm, elapsed: Duration) -> Verdict {
        let (name, state, node) = (&vm.name, &vm.state, &vm.node);
        let reason = match vm.failed_reason.as_str() {
            "" => String::new(),
            reason => format!(" ({reason})"),
        };
        if !self.begun && elapsed <= SHOWN_WITHIN {
            return Verdict::Waiting(format!("{name}: {state} on {node}, waiting for it to begin"));
        }
        Verdict::Failed(match &self.aim {
            Aim::State(_) => format!("VM '{name}' is in state {state} instead{reason}."),
            Aim::Node { .. } => {
                format!("VM '{name}' was not moved: it is in state {state} on {node}{reason}.")
            }
        })
    }
}

fn failure(vm: &api::Vm) -> String {
    match vm.failed_reason.as_str() {
        "" => format!("VM '{}' failed on node '{}'.", vm.name, vm.node),
        reason => format!("VM '{}' failed on node '{}': {reason}", vm.name, vm.node),
    }
}

impl Goal for VmGoal {
    type Seen = Vms;

    fn request(&self) -> Request {
        call::vm::info(&self.vm)
    }

    fn judge(&mut self, seen: &Vms, elapsed: Duration) -> Verdict {
        match only(seen) {
            Some(vm) => self.judge_vm(vm, elapsed),
            None => self.judge_missing(),
        }
    }

    fn judge_missing(&mut self) -> Verdict {
        Verdict::Failed(format!("VM '{}' is gone.", self.vm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm(state: &str, node: &str) -> api::Vm {
        api::Vm {
            name: "web1".into(),
            state: state.into(),
            node: node.into(),
            failed_reason: if state == "fail" { "no disk".into() } else { String::new() },
            ..api::Vm::default()
        }
    }

    fn check(mut goal: VmGoal, seen: &[(&str, &str)], expected: &[&str]) {
        let mut verdicts = Vec::new();
        for (seconds, (state, node)) in (0..).zip(seen) {
            verdicts.push(match goal.judge_vm(&vm(state, node), Duration::from_secs(seconds)) {
                Verdict::Waiting(_) => "waiting".to_owned(),
                Verdict::Done(text) | Verdict::Failed(text) => text,
            });
        }
        assert_eq!(verdicts, expected);
    }

    fn moved(target: Option<&str>) -> VmGoal {
        VmGoal::node("web1", target.map(str::to_owned), "hv1")
    }

    #[test]
    fn a_migration_is_done_when_the_vm_runs_on_another_node() {
        check(
            moved(None),
            &[
                ("start", "hv1"),
                ("migrate", "hv2"),
                ("start", "hv2"),
                ("start", "hv2"),
                ("start", "hv2"),
            ],
            &["waiting", "waiting", "waiting", "waiting", "VM 'web1' is on node 'hv2'."],
        );
    }

    #[test]
    fn a_migration_that_came_back_has_failed() {
        check(
            moved(Some("hv2")),
            &[("migrate-live", "hv2"), ("start", "hv1")],
            &["waiting", "VM 'web1' was not moved: it is in state start on hv1."],
        );
    }

    #[test]
    fn a_stopped_vm_is_moved_without_being_on_its_way() {
        check(moved(Some("hv2")), &[("stop", "hv2")], &["VM 'web1' is on node 'hv2'."]);
    }

    #[test]
    fn a_vm_that_fails_says_why() {
        check(
            moved(None),
            &[("migrate", "hv2"), ("fail", "hv2")],
            &["waiting", "VM 'web1' failed on node 'hv2': no disk"],
        );
    }

    #[test]
    fn a_vm_that_cannot_be_started_again_is_not_taken_for_running() {
        let goal = VmGoal::state("web1", Rest::Restarted, "up".into());
        check(
            goal,
            &[("restart", "hv1"), ("start", "hv1"), ("fail", "hv1")],
            &["waiting", "waiting", "VM 'web1' failed on node 'hv1': no disk"],
        );
    }

    #[test]
    fn a_shutdown_is_done_at_rest() {
        let goal = VmGoal::state("web1", Rest::Stopped, "down".into());
        check(
            goal,
            &[("shutdown", "hv1"), ("shutdown", "hv1"), ("stop", "hv1")],
            &["waiting", "waiting", "down"],
        );
    }

    #[test]
    fn a_shutdown_that_somebody_aborts_has_failed() {
        let goal = VmGoal::state("web1", Rest::Stopped, "down".into());
        check(
            goal,
            &[("shutdown", "hv1"), ("start", "hv1")],
            &["waiting", "VM 'web1' is in state start instead."],
        );
    }

    #[test]
    fn a_restart_is_not_done_before_it_has_begun() {
        let goal = VmGoal::state("web1", Rest::Restarted, "up".into());
        check(
            goal,
            &[
                ("start", "hv1"),
                ("restart", "hv1"),
                ("start", "hv1"),
                ("start", "hv1"),
                ("start", "hv1"),
            ],
            &["waiting", "waiting", "waiting", "waiting", "up"],
        );
    }

    #[test]
    fn a_vm_that_is_never_seen_on_its_way_is_where_it_ended() {
        let late = SHOWN_WITHIN + Duration::from_secs(1);
        let verdict = moved(None).judge_vm(&vm("start", "hv1"), late);
        assert!(matches!(verdict, Verdict::Failed(text) if text.contains("was not moved")));
        let mut restarted = VmGoal::state("web1", Rest::Restarted, "up".into());
        restarted.judge_vm(&vm("start", "hv1"), late);
        let verdict = restarted.judge_vm(&vm("start", "hv1"), late + PROVEN_AFTER);
        assert_eq!(verdict, Verdict::Done("up".into()));
    }
}
