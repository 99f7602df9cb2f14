//! Which tasks a node does now.
//!
//! A task that was begun and is not over is begun again by whoever looks next: the node's next
//! daemon, or the next primary. So what a task does may be repeated.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::id::{NodeName, TaskId};
use pvc_common::model::{RunOn, Subject, Task, TaskOrder};
use pvc_common::view::Shared;
use pvc_common::zk::{Expected, Version};

/// How many tasks a node does at once.
pub const AT_ONCE: usize = 4;

/// How many tasks that are over are remembered.
pub const HISTORY: usize = 200;

/// What is known when tasks are planned.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// This node.
    pub me: &'a NodeName,
    /// Whether it is primary.
    pub primary: bool,
    /// Every task, as the view shows it.
    pub tasks: &'a Shared<TaskId, Task>,
    /// What is being done here.
    pub running: &'a BTreeMap<TaskId, Subject>,
    /// The last version of its progress that this node wrote for a task: a view that shows an
    /// older one is late.
    pub written: &'a BTreeMap<TaskId, Version>,
}

/// What to do about tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Begin these, or go on with them.
    pub begin: Vec<TaskId>,
    /// Let go of these: they are another's now, or nobody's.
    pub leave: Vec<TaskId>,
    /// Delete these from the tree: they have been over for long.
    pub forget: Vec<TaskId>,
}

/// Decides what a node does about tasks.
#[must_use]
pub fn plan(situation: &Situation<'_>) -> Plan {
    let Situation { tasks, running, .. } = *situation;
    let leave: Vec<TaskId> = running
        .keys()
        .filter(|id| tasks.get(*id).is_none_or(|task| !situation.is_mine(task)))
        .cloned()
        .collect();
    let forget = if situation.primary { surplus(tasks) } else { Vec::new() };
    Plan { begin: situation.due(), leave, forget }
}

impl Situation<'_> {
    /// The oldest tasks first, one of each subject, and not too many.
    fn due(&self) -> Vec<TaskId> {
        let mut busy: BTreeSet<Subject> = self.running.values().copied().collect();
        let mut open: Vec<(&TaskId, &TaskOrder)> = self
            .tasks
            .iter()
            .filter(|(id, task)| self.is_mine(task) && !task.is_over() && self.is_current(id, task))
            .filter(|(id, _)| !self.running.contains_key(*id))
            .filter_map(|(id, task)| Some((id, task.order.get()?)))
            .collect();
        open.sort_by_key(|(id, order)| (order.ordered_ms, *id));
        let free = AT_ONCE.saturating_sub(self.running.len());
        let due = open.into_iter().filter(|(_, order)| busy.insert(order.work.subject()));
        due.map(|(id, _)| id.clone()).take(free).collect()
    }

    fn is_mine(&self, task: &Task) -> bool {
        match task.order.get().map(|order| &order.run_on) {
            Some(RunOn::Node(node)) => node == self.me,
            Some(RunOn::Primary) => self.primary,
            None => false,
        }
    }

    /// Whether the view shows what this node itself wrote last.
    fn is_current(&self, id: &TaskId, task: &Task) -> bool {
        self.written.get(id).is_none_or(|written| match task.progress.expected() {
            Expected::Version(version) => version >= *written,
            Expected::Absent => false,
        })
    }
}

/// The oldest of those that are over, beyond those that are remembered.
fn surplus(tasks: &Shared<TaskId, Task>) -> Vec<TaskId> {
    let over = tasks.iter().filter(|(_, task)| task.is_over());
    let ordered_ms = |task: &Task| task.order.get().map_or(0, |order| order.ordered_ms);
    let mut over: Vec<_> = over.map(|(id, task)| (ordered_ms(task), id)).collect();
    over.sort();
    over.truncate(over.len().saturating_sub(HISTORY));
    over.into_iter().map(|(_, id)| id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pvc_common::id::VmUuid;
    use pvc_common::model::{TaskProgress, Work};
    use pvc_common::state::TaskPhase;
    use pvc_common::zk::Seen;

    use super::*;

    fn id(n: usize) -> TaskId {
        format!("{n:08x}").parse().unwrap()
    }

    fn vm(n: usize) -> VmUuid {
        format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
    }

    fn node(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    fn seen<T>(value: T, version: i32) -> Seen<T> {
        Seen::Value { value, version: Version(version) }
    }

    /// A task about a VM, ordered at that time.
    fn task(run_on: &str, about: usize, ordered_ms: u64, phase: Option<TaskPhase>) -> Task {
        let run_on = if run_on == "primary" { RunOn::Primary } else { RunOn::Node(node(run_on)) };
        let work = Work::FlushLocks { domain: vm(about) };
        let progress = phase.map(|phase| TaskProgress {
            phase,
            by: node("hv1"),
            current: 0,
            total: 1,
            status: String::new(),
            result: None,
            memory: None,
        });
        Task {
            order: seen(TaskOrder { work, run_on, ordered_ms }, 0),
            progress: progress.map_or(Seen::Absent, |progress| seen(progress, 3)),
        }
    }

    fn tasks(all: impl IntoIterator<Item = Task>) -> Shared<TaskId, Task> {
        let mut tasks = Shared::default();
        for (n, task) in all.into_iter().enumerate() {
            tasks.insert(id(n), Arc::new(task));
        }
        tasks
    }

    fn decide(tasks: &Shared<TaskId, Task>, primary: bool, running: &[usize]) -> Plan {
        let running =
            running.iter().map(|n| (id(*n), Subject::Vm(vm(*n)))).collect::<BTreeMap<_, _>>();
        let (me, written) = (&node("hv1"), &BTreeMap::new());
        plan(&Situation { me, primary, tasks, running: &running, written })
    }

    #[test]
    fn a_node_does_its_own_tasks_the_oldest_first_and_goes_on_with_those_begun() {
        let tasks = tasks([
            task("hv1", 0, 20, None),
            task("hv1", 1, 10, Some(TaskPhase::Running)),
            task("hv2", 2, 5, None),
            task("hv1", 3, 5, Some(TaskPhase::Success)),
            task("hv1", 4, 5, Some(TaskPhase::Failure)),
        ]);
        assert_eq!(decide(&tasks, false, &[]).begin, [id(1), id(0)]);
        assert_eq!(decide(&tasks, false, &[1]).begin, [id(0)]);
    }

    #[test]
    fn whoever_is_primary_does_what_is_the_primarys() {
        let tasks = tasks([task("primary", 0, 1, Some(TaskPhase::Running))]);
        assert_eq!(decide(&tasks, true, &[]).begin, [id(0)]);
        assert_eq!(decide(&tasks, false, &[]), Plan::default());
        assert_eq!(decide(&tasks, false, &[0]).leave, [id(0)], "it is another's now");
        assert_eq!(decide(&tasks, true, &[0]), Plan::default());
    }

    #[test]
    fn two_tasks_of_one_vm_are_done_one_after_the_other() {
        let tasks = tasks([task("hv1", 7, 2, None), task("hv1", 7, 1, None)]);
        assert_eq!(decide(&tasks, false, &[]).begin, [id(1)]);
        let tasks = self::tasks([task("hv1", 0, 2, None), task("hv1", 0, 1, None)]);
        assert_eq!(decide(&tasks, false, &[0]).begin, [], "one of them is being done");
    }

    #[test]
    fn no_more_than_a_few_are_done_at_once() {
        let tasks = tasks((0..9).map(|n| task("hv1", n, n as u64, None)));
        assert_eq!(decide(&tasks, false, &[]).begin.len(), AT_ONCE);
        assert_eq!(decide(&tasks, false, &[0, 1, 2]).begin, [id(3)]);
    }

    #[test]
    fn a_task_that_is_gone_is_left() {
        assert_eq!(decide(&Shared::default(), false, &[0]).leave, [id(0)]);
    }

    #[test]
    fn what_this_node_has_ended_is_not_begun_again_while_the_view_is_late() {
        let tasks = tasks([task("hv1", 0, 1, Some(TaskPhase::Running))]);
        for (written, begins) in [(4, false), (3, true)] {
            let written = &BTreeMap::from([(id(0), Version(written))]);
            let (me, running) = (&node("hv1"), &BTreeMap::new());
            let plan = plan(&Situation { me, primary: false, tasks: &tasks, running, written });
            assert_eq!(!plan.begin.is_empty(), begins);
        }
    }

    #[test]
    fn the_primary_forgets_the_oldest_that_are_over() {
        let over = |n: usize| task("hv2", n, n as u64, Some(TaskPhase::Success));
        let tasks = tasks((0..HISTORY + 2).map(over).chain([task("hv2", 0, 0, None)]));
        assert_eq!(decide(&tasks, true, &[]).forget, [id(0), id(1)]);
        assert_eq!(decide(&tasks, false, &[]).forget, []);
    }
}
