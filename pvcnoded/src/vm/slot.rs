//! What the keeper knows of one VM: its memory and the work under way.

use std::time::Instant;

use pvc_common::id::VmUuid;
use pvc_common::model::Vm;
use pvc_plan::vm::{Job, Memory, Note, Outcome, Step, Wish};

/// Work under way for a VM.
struct Work {
    /// Its long action; `None` for writes alone.
    job: Option<Job>,
    wish: Option<Wish>,
}

/// One VM as the keeper knows it.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) memory: Memory,
    /// The wish that was planned for last.
    pub(super) wish: Option<Wish>,
    work: Option<Work>,
    notes: Vec<Note>,
}

impl Slot {
    pub(super) const fn busy(&self) -> bool {
        self.work.is_some()
    }

    pub(super) fn job(&self) -> Option<&Job> {
        self.work.as_ref().and_then(|work| work.job.as_ref())
    }

    pub(super) fn begin(&mut self, job: Option<Job>) {
        self.work = Some(Work { job, wish: self.wish });
    }

    /// `None`: the work ended before its long action began.
    pub(super) fn end(&mut self, outcome: Option<Outcome>, now: Instant) {
        let Some(Work { job: Some(job), wish: Some(wish) }) = self.work.take() else { return };
        if let Some(outcome) = outcome {
            self.memory.ended(&job, &outcome, wish, now);
        }
    }

    /// Tells why nothing happens, once per reason.
    pub(super) fn explain(&mut self, uuid: VmUuid, vm: &Vm, notes: &[Note]) {
        for note in notes.iter().filter(|note| !self.notes.contains(note)) {
            let name = vm.name.get().map_or("?", |name| name.as_str());
            tracing::info!(vm.uuid = %uuid, vm.name = name, "VM {name}: {note}");
        }
        self.notes = notes.to_vec();
    }
}

/// The long action of a plan, of which there is one at most.
pub(super) fn job_of(steps: &[Step]) -> Option<Job> {
    steps.iter().find_map(|step| match step {
        Step::Start => Some(Job::Start),
        Step::AskShutdown => Some(Job::AskShutdown),
        Step::Destroy => Some(Job::Destroy),
        Step::Migrate { to } => Some(Job::Migrate { to: to.clone() }),
        Step::Write { .. } | Step::AbortMigration => None,
    })
}
