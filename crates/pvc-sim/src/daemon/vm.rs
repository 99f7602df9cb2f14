//! The VMs of a node: `pvc_plan::vm`, step by step.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use pvc_common::model::Node;
use pvc_common::state::DaemonState;
use pvc_common::view::View;
use pvc_plan::vm::{Here, Job, Memory, Outcome, Situation, Step, Target, UNSEEN, Wish, plan};

use super::World;
use crate::ensemble;
use crate::guard::Guard;
use crate::qemu::Then;
use crate::world::{HostId, VmId};

/// How long a guest may take to shut down.
const SHUTDOWN: Duration = Duration::from_secs(60);

/// How many live migrations leave a node at once.
const MIGRATIONS_AT_ONCE: usize = 4;

/// One VM as a daemon knows it.
#[derive(Default)]
pub(super) struct Slot {
    memory: Memory,
    work: Option<(Option<Job>, Wish)>,
}

impl World {
    pub(super) fn look_at_vms(&mut self, id: HostId, view: &View) -> Option<Instant> {
        let me = self.hosts[id].name.clone();
        let own = view.nodes.get(&me).and_then(|node| node.daemon_state.copied());
        let may_start = self.is_live(id) && own == Some(DaemonState::Run);
        let mut wake: Option<Instant> = None;
        for vm in self.concerned(id, view) {
            wake = wake.into_iter().chain(self.look_at_vm(id, view, vm, may_start)).min();
        }
        wake
    }

    fn concerned(&mut self, id: HostId, view: &View) -> BTreeSet<VmId> {
        let me = self.hosts[id].name.clone();
        let mine = view.vms.iter().filter(|(_, vm)| {
            let assigned = vm.node.get().and_then(Option::as_ref) == Some(&me);
            assigned || vm.claim.get().is_some_and(|claim| claim.holder == me)
        });
        let mine: Vec<VmId> =
            mine.filter_map(|(uuid, _)| self.by_uuid.get(uuid).copied()).collect();
        let here: Vec<VmId> = self.hosts[id].qemus.keys().copied().collect();
        mine.into_iter().chain(here).collect()
    }

    fn look_at_vm(
        &mut self,
        id: HostId,
        view: &View,
        which: VmId,
        may_start: bool,
    ) -> Option<Instant> {
        let uuid = self.vms[which].uuid;
        let vm = view.vms.get(&uuid)?;
        let unclaimed;
        let vm = if self.without == Some(Guard::Claim) {
            // It takes for its own what is assigned to it, whoever may be running it.
            let mut changed = pvc_common::model::Vm::clone(vm);
            changed.claim = pvc_common::zk::Seen::Absent;
            unclaimed = changed;
            &unclaimed
        } else {
            vm
        };
        let now = self.instant();
        let doubt = self.doubt(id, which);
        let here = match self.hosts[id].qemus.get(&which) {
            Some(qemu) => Here::Present(qemu.run),
            None if doubt.is_some() => Here::Unknown,
            None => Here::Absent,
        };
        let me = self.hosts[id].name.clone();
        let own = view.nodes.get(&me);
        let target = vm.node.get().and_then(Option::as_ref).and_then(|to| view.nodes.get(to));
        let migrating = self.is_migrating(id, which);
        let slot = self.daemon(id).slots.entry(which).or_default();
        slot.memory.observe(here, vm.claim.expected(), now);
        let job = slot.work.as_ref().and_then(|(job, _)| job.clone());
        let memory = slot.memory.clone();
        let situation = Situation {
            me: &me,
            uuid,
            vm,
            here,
            migrating,
            job: job.as_ref(),
            memory: &memory,
            may_start,
            own_state: own.map_or(&pvc_common::zk::Seen::Absent, |own| &own.daemon_state),
            target: target.map_or(Target::Away, |node| readiness(node)),
            shutdown_timeout: SHUTDOWN,
            now,
        };
        let (plan, wish) = (plan(&situation), situation.wish());
        self.act_on_vm(id, which, plan.steps, wish);
        plan.wake_at.into_iter().chain(doubt).min()
    }

    /// Until when the absence of a VM says nothing, for libvirt may be at a start of it.
    fn doubt(&mut self, id: HostId, vm: VmId) -> Option<Instant> {
        let now = self.now;
        let until = *self.daemon(id).unanswered.get(&vm)?;
        if now < until && !self.hosts[id].qemus.contains_key(&vm) {
            return Some(self.instant() + (until - now));
        }
        self.daemon(id).unanswered.remove(&vm);
        self.hosts[id].starts.remove(&vm);
        None
    }

    fn act_on_vm(&mut self, id: HostId, vm: VmId, steps: Vec<Step>, wish: Wish) {
        let slots = &mut self.daemon(id).slots;
        let leaving = slots
            .values()
            .filter(|slot| matches!(&slot.work, Some((Some(Job::Migrate { .. }), _))));
        let leaving = leaving.count();
        let Some(slot) = slots.get_mut(&vm) else { return };
        if steps.is_empty() {
            return;
        }
        if slot.work.is_some() {
            if steps == [Step::AbortMigration] {
                self.abort_migration(vm);
            }
            return;
        }
        let job = job_of(&steps);
        if matches!(job, Some(Job::Migrate { .. })) && leaving >= MIGRATIONS_AT_ONCE {
            return;
        }
        slot.work = Some((job, wish));
        self.step_vm(id, vm, steps.into(), None);
    }

    /// Does the next step; the work ends with the last, or with one that fails.
    fn step_vm(
        &mut self,
        id: HostId,
        vm: VmId,
        mut steps: VecDeque<Step>,
        outcome: Option<Outcome>,
    ) {
        let Some(step) = steps.pop_front() else { return self.end_work(id, vm, outcome) };
        let life = self.daemon(id).life;
        // What libvirt was asked for is done although the daemon that asked is gone.
        let then: Then = Box::new(move |world: &mut Self, outcome| {
            if world.hosts[id].lives(life) {
                world.step_vm(id, vm, steps, Some(outcome));
            }
        });
        match step {
            Step::Write { goal, ops } => {
                let me = self.vms[vm].name.clone();
                self.commit(id, ops, move |world, outcome| match outcome {
                    ensemble::Outcome::Done => {
                        world.tell(id, || format!("{me}: {goal}"));
                        then(world, Outcome::Done);
                    }
                    ensemble::Outcome::Superseded(_) | ensemble::Outcome::Unknown => {
                        world.end_work(id, vm, None);
                    }
                });
            }
            Step::Start => {
                self.hosts[id].starts.insert(vm);
                let then: Then = Box::new(move |world: &mut Self, outcome| {
                    if world.hosts[id].lives(life) {
                        world.note_answer(id, vm, &outcome);
                    }
                    then(world, outcome);
                });
                self.start_qemu(id, vm, then);
            }
            Step::AskShutdown => self.ask_shutdown(id, vm, then),
            Step::Destroy => self.destroy_qemu(id, vm, then),
            Step::Migrate { to } => match self.node(&to) {
                Some(to) => self.migrate_qemu(id, vm, to, then),
                None => then(self, Outcome::Refused("there is no such node".to_owned())),
            },
            Step::AbortMigration => {
                self.abort_migration(vm);
                then(self, Outcome::Done);
            }
        }
    }

    fn note_answer(&mut self, id: HostId, vm: VmId, outcome: &Outcome) {
        let until = self.now + UNSEEN;
        match outcome {
            Outcome::Unclear(_) => drop(self.daemon(id).unanswered.insert(vm, until)),
            Outcome::Done | Outcome::Refused(_) => drop(self.hosts[id].starts.remove(&vm)),
        }
    }

    fn end_work(&mut self, id: HostId, vm: VmId, outcome: Option<Outcome>) {
        let now = self.instant();
        let Some(slot) = self.daemon(id).slots.get_mut(&vm) else { return };
        if let (Some((Some(job), wish)), Some(outcome)) = (slot.work.take(), outcome) {
            slot.memory.ended(&job, &outcome, wish, now);
        }
        self.look_soon(id);
    }

    /// Whether a daemon is at work for any VM.
    pub(crate) fn is_busy(&self, id: HostId) -> bool {
        let daemon = self.hosts[id].daemon.as_ref();
        daemon.is_some_and(|daemon| daemon.slots.values().any(|slot| slot.work.is_some()))
    }
}

fn readiness(node: &Node) -> Target {
    match node.daemon_state.copied() {
        Some(DaemonState::Run) => Target::Serves,
        Some(DaemonState::Init) => Target::Starting,
        Some(DaemonState::Dead | DaemonState::Fenced) => Target::Dead,
        Some(DaemonState::Shutdown | DaemonState::Stop) | None => Target::Away,
    }
}

fn job_of(steps: &[Step]) -> Option<Job> {
    steps.iter().find_map(|step| match step {
        Step::Start => Some(Job::Start),
        Step::AskShutdown => Some(Job::AskShutdown),
        Step::Destroy => Some(Job::Destroy),
        Step::Migrate { to } => Some(Job::Migrate { to: to.clone() }),
        Step::Write { .. } | Step::AbortMigration => None,
    })
}
