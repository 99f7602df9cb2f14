//! The way through a task: which stage is next, how long it was waited, what may fail.

use std::time::Instant;

use pvc_common::id::{DevicePath, OsdId};

use super::{
    Add, Memory, Next, Refresh, Replace, Stage, Step, Task, World, add, group, refresh, remove,
    replace,
};

/// How often a step is done that has no effect, or of which nobody knows what came.
const TIMES: u32 = 3;

/// What came of a step that was not done to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was refused; why, for people.
    Refused(String),
    /// Nobody knows: it did not answer, or lost a race in the tree. What is seen next decides.
    Unknown(String),
}

/// A task under way, by one daemon. The next daemon begins another course, with the task and the
/// memory of this one.
#[derive(Clone, Debug)]
pub struct Course {
    task: Task,
    memory: Option<Memory>,
    /// What failed, and need not be done.
    skipped: Vec<Step>,
    warnings: Vec<String>,
    /// Every step that was the next one, and how often.
    taken: Vec<(Step, u32)>,
    /// Which stage is waited for, and since when.
    waits: Option<(u32, Instant)>,
}

impl Course {
    /// Takes a task up, with what is kept of it.
    #[must_use]
    pub const fn new(task: Task, memory: Option<Memory>) -> Self {
        Self {
            task,
            memory,
            skipped: Vec::new(),
            warnings: Vec::new(),
            taken: Vec::new(),
            waits: None,
        }
    }

    /// The disks that have to be looked at.
    #[must_use]
    pub fn devices(&self) -> Vec<DevicePath> {
        match (&self.memory, &self.task) {
            (Some(Memory::Blank(disk) | Memory::Replacing { disk, .. }), _) => {
                vec![disk.path.clone()]
            }
            (_, Task::Add(Add { disk, .. }))
            | (_, Task::Replace(Replace { disk, .. }))
            | (_, Task::Refresh(Refresh { disk, .. }))
            | (_, Task::AddDbGroup { disk }) => vec![disk.clone()],
            (_, Task::Remove(_)) => Vec::new(),
        }
    }

    /// The OSDs of which it has to be asked whether they are safe to destroy.
    #[must_use]
    pub fn at_stake(&self) -> Vec<OsdId> {
        match &self.memory {
            Some(Memory::Removing { osd, .. }) => vec![*osd],
            Some(Memory::Replacing { osds, .. }) => osds.iter().map(|it| it.osd).collect(),
            Some(Memory::Blank(_)) | None => Vec::new(),
        }
    }

    /// What went wrong without ending the task, for people.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What to do next.
    pub fn next(&mut self, world: World<'_>, now: Instant) -> Next {
        let next = match &self.task {
            Task::Add(task) => add::next(task, self.memory.as_ref(), world),
            Task::Replace(task) => replace::next(task, self.memory.as_ref(), world),
            Task::Refresh(task) => refresh::next(task, world),
            Task::Remove(task) => {
                remove::next(task, self.memory.as_ref(), world, |step| self.skipped.contains(step))
            }
            Task::AddDbGroup { disk } => group::next(disk, self.memory.as_ref(), world),
        };
        match next {
            Next::Do(stage) => self.act(stage),
            Next::Wait(waiting) => {
                let since = match self.waits {
                    Some((number, since)) if number == waiting.number => since,
                    Some(_) | None => now,
                };
                self.waits = Some((waiting.number, since));
                if now.saturating_duration_since(since) >= waiting.limit {
                    Next::Fail(waiting.in_vain)
                } else {
                    Next::Wait(waiting)
                }
            }
            Next::Done(_) | Next::Fail(_) => next,
        }
    }

    fn act(&mut self, stage: Stage) -> Next {
        // Counted over the whole course: two steps that undo each other go on for ever else.
        let times = match self.taken.iter_mut().find(|(step, _)| *step == stage.step) {
            Some((_, times)) => {
                *times += 1;
                *times
            }
            None => {
                self.taken.push((stage.step.clone(), 1));
                1
            }
        };
        if times > TIMES {
            return Next::Fail(format!("{}: done {TIMES} times, and it has no effect", stage.text));
        }
        if let Step::Remember(memory) = &stage.step {
            // Nothing follows before it is kept.
            self.memory = Some(memory.clone());
        }
        Next::Do(stage)
    }

    /// What a failure means: nothing, as long as the task may go on; else why it ends.
    ///
    /// # Errors
    /// Why the task has failed, for people.
    pub fn failed(&mut self, stage: &Stage, failure: Failure) -> Result<(), String> {
        if let Step::Remember(_) = stage.step {
            self.memory = None;
        }
        let taken = self.taken.iter().find(|(step, _)| *step == stage.step);
        let tries = taken.map_or(0, |(_, times)| *times);
        let why = match failure {
            Failure::Unknown(_) if tries < TIMES => return Ok(()),
            Failure::Unknown(why) | Failure::Refused(why) => format!("{}: {why}", stage.text),
        };
        if stage.optional {
            self.skipped.push(stage.step.clone());
            self.warnings.push(why);
            return Ok(());
        }
        Err(why)
    }
}
