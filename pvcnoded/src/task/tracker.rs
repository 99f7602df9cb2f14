//! Tells, in the tree, how far a task is.

use pvc_common::id::{NodeName, TaskId};
use pvc_common::model::TaskProgress;
use pvc_common::state::TaskPhase;
use pvc_common::zk::{Expected, Seen, Version, key};
use pvc_zk::{CommitError, Tree};
use serde_json::Value;

/// The task is another's now, or nobody's.
#[derive(Debug)]
pub(super) struct Lost;

/// Tells how far one task is. Whoever is told that it is [`Lost`] stops.
pub(super) struct Tracker<T> {
    tree: T,
    id: TaskId,
    me: NodeName,
    seen: Seen<TaskProgress>,
    total: u32,
    memory: Option<String>,
    is_written: bool,
}

impl<T: Tree> Tracker<T> {
    /// For a task whose progress was `seen` in the view.
    pub(super) fn new(tree: T, id: TaskId, me: NodeName, seen: Seen<TaskProgress>) -> Self {
        let memory = seen.get().and_then(|progress| progress.memory.clone());
        Self { tree, id, me, seen, total: 1, memory, is_written: false }
    }

    /// Makes the task this node's; answers whether somebody had begun it before.
    pub(super) async fn begin(&mut self) -> Result<bool, Lost> {
        let was_begun = self.seen.get().is_some();
        let status = if was_begun { "Going on" } else { "Beginning" };
        let progress = self.progress(TaskPhase::Running, 0, status.to_owned(), None);
        match self.tree.commit(vec![key::task_progress(&self.id).put(&self.seen, &progress)]).await
        {
            Ok(()) => self.wrote(progress),
            // The view was late, or another was faster.
            Err(CommitError::Superseded { .. } | CommitError::Refused { .. }) => return Err(Lost),
            Err(CommitError::Unknown { .. }) => {
                self.look().await?;
                self.write(progress).await?;
            }
        }
        Ok(was_begun)
    }

    /// From now on the task has so many steps in all.
    pub(super) const fn set_total(&mut self, total: u32) {
        self.total = total;
    }

    /// Tells that so many steps are done, and what comes next.
    pub(super) async fn tell(&mut self, done: u32, next: String) -> Result<(), Lost> {
        tracing::info!("{next}");
        let progress = self.progress(TaskPhase::Running, done, next, None);
        self.write(progress).await
    }

    /// What a former attempt has kept with the task.
    pub(super) fn memory(&self) -> Option<&str> {
        self.memory.as_deref()
    }

    /// Keeps a line with the task, for whoever goes on with it.
    pub(super) async fn remember(&mut self, done: u32, line: String) -> Result<(), Lost> {
        self.memory = Some(line);
        let status = self.seen.get().map_or_else(String::new, |seen| seen.status.clone());
        let progress = self.progress(TaskPhase::Running, done, status, None);
        self.write(progress).await
    }

    /// Tells what came of it.
    pub(super) async fn end(
        &mut self,
        outcome: Result<(String, Value), String>,
    ) -> Result<(), Lost> {
        let progress = match outcome {
            Ok((status, result)) => {
                tracing::info!("done: {status}");
                self.progress(TaskPhase::Success, self.total, status, Some(result))
            }
            Err(why) => {
                tracing::warn!("failed: {why}");
                self.total = 1;
                self.progress(TaskPhase::Failure, 1, why, None)
            }
        };
        self.write(progress).await
    }

    /// The version of what this node wrote last; `None` if it wrote nothing.
    pub(super) const fn written(&self) -> Option<Version> {
        match self.seen.expected() {
            Expected::Version(version) if self.is_written => Some(version),
            Expected::Version(_) | Expected::Absent => None,
        }
    }

    fn progress(
        &self,
        phase: TaskPhase,
        current: u32,
        status: String,
        result: Option<Value>,
    ) -> TaskProgress {
        let memory = self.memory.clone();
        TaskProgress {
            phase,
            by: self.me.clone(),
            current,
            total: self.total,
            status,
            result,
            memory,
        }
    }

    /// Writes until it is known to be written, or the task is another's.
    async fn write(&mut self, progress: TaskProgress) -> Result<(), Lost> {
        loop {
            let put = key::task_progress(&self.id).put(&self.seen, &progress);
            match self.tree.commit(vec![put]).await {
                Ok(()) => {
                    self.wrote(progress);
                    return Ok(());
                }
                Err(CommitError::Refused { .. }) => return Err(Lost),
                Err(CommitError::Superseded { .. } | CommitError::Unknown { .. }) => {}
            }
            self.look().await?;
            if self.seen.get() == Some(&progress) {
                self.is_written = true;
                return Ok(());
            }
        }
    }

    fn wrote(&mut self, value: TaskProgress) {
        // ZooKeeper counts the writes of a key from 0.
        let version = match self.seen.expected() {
            Expected::Absent => Version(0),
            Expected::Version(Version(version)) => Version(version.wrapping_add(1)),
        };
        self.seen = Seen::Value { value, version };
        self.is_written = true;
    }

    /// Reads whose the task is, however long ZooKeeper takes to answer.
    async fn look(&mut self) -> Result<(), Lost> {
        let (order, progress) = (key::task(&self.id), key::task_progress(&self.id));
        let paths = [order.into_path(), progress.into_path()];
        loop {
            let mut session = self.tree.session();
            session.wait_for(|session| session.live().is_some()).await.map_err(|_| Lost)?;
            let Ok(found) = self.tree.get_many(&paths).await else { continue };
            let [order, progress] = &found[..] else { return Err(Lost) };
            self.seen = Seen::read(progress.as_ref().map(|it| (&it.data[..], it.version)));
            let is_anothers = self.seen.get().is_some_and(|progress| progress.by != self.me);
            return if order.is_none() || is_anothers { Err(Lost) } else { Ok(()) };
        }
    }
}
