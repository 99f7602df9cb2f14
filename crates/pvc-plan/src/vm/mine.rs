//! The VM is this node's: its claim says so.

use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::model::Claim;
use pvc_common::observed::RunState;
use pvc_common::state::{MigrationMethod, VmState};

use super::step::{Note, Plan};
use super::{Here, Job, Situation, Step, Target, writes};

/// A guest that is still booting ignores the power button: it is pressed again.
const ASK_AGAIN: Duration = Duration::from_secs(15);

/// How soon to look again at something libvirt is about to finish.
const SOON: Duration = Duration::from_millis(500);

/// A VM that still waits for its source so long after the claim has ceased to name one was on its
/// way from a node that died. Longer than libvirt needs to resume one that has arrived.
const NEVER_ARRIVES: Duration = Duration::from_secs(10);

pub(super) fn plan(s: &Situation<'_>, claim: &Claim) -> Plan {
    if let Some(to) = &claim.incoming {
        return departing(s, to);
    }
    if s.job.is_some() {
        return Plan::nothing();
    }
    match s.here {
        Here::Unknown => Plan::nothing(),
        Here::Absent | Here::Present(_) if claim.arriving => Plan::steps([writes::acknowledge(s)]),
        Here::Absent => gone(s),
        Here::Present(RunState::Running | RunState::Paused) => running(s),
        Here::Present(RunState::Crashed) => Plan::steps([Step::Destroy]),
        // Neither can be while the claim names no target, except for an instant.
        Here::Present(RunState::Incoming | RunState::Outgone) => settling(s),
    }
}

/// Starts the VM after `proof`, a transaction that proves the claim to be this node's.
pub(super) fn start(s: &Situation<'_>, proof: Step) -> Plan {
    if !s.may_start {
        return Plan::note(Note::MayNotStart);
    }
    match s.memory.not_before(s.wish()) {
        Some(at) if at > s.now => Plan::note(Note::BackingOff).waking(at),
        Some(_) | None => Plan::steps([proof, Step::Start]),
    }
}

/// QEMU is gone here, and nobody else may have it.
fn gone(s: &Situation<'_>) -> Plan {
    let Some(state) = s.state() else {
        return Plan::note(Note::StateUnreadable);
    };
    match state {
        VmState::Start
        | VmState::Restart
        | VmState::Migrate
        | VmState::MigrateLive
        | VmState::Unmigrate => match s.elsewhere() {
            Some(to) => match s.target {
                Target::Serves => Plan::steps([writes::hand_over_cold(s, to)]),
                Target::Starting => Plan::note(Note::TargetStarting),
                Target::Away | Target::Dead => Plan::steps([writes::give_up(s, &not_serving(to))]),
            },
            None if state == VmState::Start => start_again(s),
            None => Plan::steps([writes::state(s, VmState::Start)]),
        },
        VmState::Shutdown => Plan::steps([writes::stopped(s)]),
        VmState::Stop
        | VmState::Disable
        | VmState::Fail
        | VmState::Provision
        | VmState::Import
        | VmState::Restore
        | VmState::Mirror
        | VmState::Delete => Plan::steps([writes::release(s)]),
    }
}

fn start_again(s: &Situation<'_>) -> Plan {
    match s.memory.start_refused(s.wish()) {
        Some(why) => Plan::steps([writes::fail(s, why)]),
        None => start(s, writes::confirm_start(s)),
    }
}

/// QEMU runs here and the claim names no other node.
fn running(s: &Situation<'_>) -> Plan {
    let Some(state) = s.state() else {
        return Plan::note(Note::StateUnreadable);
    };
    match state {
        VmState::Start => match s.elsewhere() {
            Some(to) => depart(s, to, state),
            None => Plan::nothing(),
        },
        VmState::Migrate | VmState::MigrateLive | VmState::Unmigrate => match s.elsewhere() {
            Some(to) => depart(s, to, state),
            None => Plan::steps([writes::state(s, VmState::Start)]),
        },
        VmState::Restart | VmState::Shutdown | VmState::Disable => shut_down(s),
        VmState::Stop | VmState::Delete => Plan::steps([writes::confirm(s), Step::Destroy]),
        VmState::Fail
        | VmState::Provision
        | VmState::Import
        | VmState::Restore
        | VmState::Mirror => Plan::nothing(),
    }
}

/// Asks the guest to shut down, again now and then, and cuts it off when its time is up.
fn shut_down(s: &Situation<'_>) -> Plan {
    let Some(asked) = s.memory.asked(s.wish()) else {
        return Plan::steps([Step::AskShutdown]);
    };
    let deadline = asked.first + s.shutdown_timeout;
    if s.now >= deadline {
        return Plan::steps([writes::confirm(s), Step::Destroy]).with(Note::ShutdownTimedOut);
    }
    let again = asked.last + ASK_AGAIN;
    if s.now >= again {
        return Plan::steps([Step::AskShutdown]).with(Note::ShuttingDown).waking(deadline);
    }
    Plan::note(Note::ShuttingDown).waking(again.min(deadline))
}

/// The VM should be on another node: sends it there in the best way that is left.
fn depart(s: &Situation<'_>, to: &NodeName, state: VmState) -> Plan {
    let method = s.vm.migration_method.get().copied().flatten();
    let method = if s.vm.has_hardware() { Some(MigrationMethod::Shutdown) } else { method };
    let forced_live = state == VmState::MigrateLive;
    let live_only = forced_live || method == Some(MigrationMethod::Live);
    match s.target {
        Target::Serves => {}
        Target::Starting => return Plan::note(Note::TargetStarting),
        Target::Away | Target::Dead => {
            return Plan::steps([writes::give_up(s, &not_serving(to))]);
        }
    }
    if forced_live && s.vm.has_hardware() {
        let why = "hardware of this node is handed to it, which cannot move with it";
        return Plan::steps([writes::give_up(s, why)]);
    }
    if method == Some(MigrationMethod::Shutdown) && !forced_live {
        return shut_down(s);
    }
    match s.memory.migration_failed(s.wish()) {
        None => Plan::steps([writes::depart(s, to), Step::Migrate { to: to.clone() }]),
        Some(why) if live_only => {
            Plan::steps([writes::give_up(s, &format!("live migration to {to} failed: {why}"))])
        }
        Some(_) => shut_down(s),
    }
}

/// A live migration to `to` was begun, perhaps by a daemon that has died since.
fn departing(s: &Situation<'_>, to: &NodeName) -> Plan {
    // What goes to a dead node never arrives, and libvirt takes long to notice.
    let wanted =
        s.node() == Some(to) && s.state().is_some_and(wants_to_run) && s.target != Target::Dead;
    match (s.job, s.here) {
        (Some(Job::Migrate { .. }), _) if wanted => Plan::nothing(),
        (Some(Job::Migrate { .. }), _) => Plan::steps([Step::AbortMigration]).waking(s.now + SOON),
        (Some(Job::Start | Job::AskShutdown | Job::Destroy), _) | (None, Here::Unknown) => {
            Plan::nothing()
        }
        (None, Here::Present(RunState::Running | RunState::Paused)) if s.migrating => {
            let plan = if wanted { Plan::nothing() } else { Plan::steps([Step::AbortMigration]) };
            plan.with(Note::StillMigrating).waking(s.now + SOON)
        }
        (None, Here::Present(RunState::Running | RunState::Paused)) => {
            Plan::steps([writes::stay(s)])
        }
        (None, Here::Present(RunState::Crashed)) => Plan::steps([Step::Destroy]),
        (None, Here::Present(RunState::Incoming | RunState::Outgone)) => settling(s),
        (None, Here::Absent) => Plan::steps([writes::hand_over(s, to)]),
    }
}

fn not_serving(node: &NodeName) -> String {
    format!("node {node} is not serving")
}

/// Libvirt has to finish with it, but a libvirt that died at the wrong moment never will:
/// then the VM can at least be stopped.
fn settling(s: &Situation<'_>) -> Plan {
    match s.state() {
        Some(VmState::Stop | VmState::Delete) => {
            Plan::steps([writes::confirm(s), Step::Destroy]).with(Note::Settling)
        }
        Some(
            VmState::Start
            | VmState::Restart
            | VmState::Shutdown
            | VmState::Disable
            | VmState::Fail
            | VmState::Migrate
            | VmState::MigrateLive
            | VmState::Unmigrate
            | VmState::Provision
            | VmState::Import
            | VmState::Restore
            | VmState::Mirror,
        )
        | None => match s.memory.incoming_since() {
            // Its source is gone, for the claim names none: nothing more comes.
            Some(since) if s.now.saturating_duration_since(since) >= NEVER_ARRIVES => {
                Plan::steps([writes::confirm(s), Step::Destroy]).with(Note::Settling)
            }
            Some(_) | None => Plan::note(Note::Settling).waking(s.now + SOON),
        },
    }
}

const fn wants_to_run(state: VmState) -> bool {
    match state {
        VmState::Start | VmState::Migrate | VmState::MigrateLive | VmState::Unmigrate => true,
        VmState::Restart
        | VmState::Shutdown
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
