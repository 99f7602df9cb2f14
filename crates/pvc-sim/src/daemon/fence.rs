//! Dead nodes, as a coordinator sees to them: `pvc_plan::fence`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pvc_common::id::NodeName;
use pvc_common::state::{EvidenceKind, Verdict, Word};
use pvc_common::view::View;
use pvc_common::zk::Op;
use pvc_plan::fence::{Found, Goal, Job, Situation, Step, plan};

use super::World;
use crate::ensemble::Outcome;
use crate::world::HostId;

/// A BMC is not told again to switch on before this.
const POWERING: Duration = Duration::from_secs(30);

impl World {
    pub(super) fn look_at_fences(&mut self, id: HostId, view: &Arc<View>) -> Option<Instant> {
        let view = self.doctored(view);
        let (now, live, wall_ms) = (self.instant(), self.is_live(id), self.wall_ms(id));
        let me = self.hosts[id].name.clone();
        let policy = self.policy;
        let hears = self.hears(id);
        let daemon = self.daemon(id);
        daemon.sight.look(&me, &hears, &view, live, now);
        daemon.sight.prune(policy.storm_window, now);
        let plan = plan(&Situation {
            me: &me,
            view: &view,
            sight: &daemon.sight,
            policy: &policy,
            jobs: &daemon.jobs,
            now,
            wall_ms,
        });
        let mut writes: BTreeMap<NodeName, VecDeque<(Goal, Vec<Op>)>> = BTreeMap::new();
        for step in plan.steps {
            match step {
                Step::Write { node, goal, ops } => {
                    writes.entry(node).or_default().push_back((goal, ops));
                }
                Step::Gather { node, kind } => self.gather(id, &view, node, kind),
                // No OSDs here.
                Step::MarkDown { node, fence, loss } => {
                    self.daemon(id).sight.mark(&node, fence, loss);
                }
                Step::PowerOn { node } => self.power_up(id, node),
            }
        }
        for (node, queue) in writes {
            if self.daemon(id).writing.insert(node.clone()) {
                self.write_fence(id, node, queue);
            }
        }
        plan.wake_at
    }

    fn write_fence(&mut self, id: HostId, node: NodeName, mut queue: VecDeque<(Goal, Vec<Op>)>) {
        let Some((goal, ops)) = queue.pop_front() else {
            self.daemon(id).writing.remove(&node);
            return self.look_soon(id);
        };
        self.commit(id, ops, move |world, outcome| {
            let done = outcome == Outcome::Done;
            if matches!(goal, Goal::Settle { .. }) {
                world.daemon(id).sight.settled(&node, done);
            }
            if done {
                world.told_fence(id, &node, &goal);
                world.write_fence(id, node, queue);
            } else {
                if let Outcome::Superseded(path) = outcome {
                    world.tell(id, || format!("{node}: superseded at {path}: {goal}"));
                }
                world.daemon(id).writing.remove(&node);
                world.look_soon(id);
            }
        });
    }

    fn gather(&mut self, id: HostId, view: &View, node: NodeName, kind: EvidenceKind) {
        let known = view.nodes.get(&node).and_then(|node| node.liveness.fence.get());
        let (Some(fence), Some(target)) = (known, self.node(&node)) else { return };
        let fence = fence.id.clone();
        let job = (node, kind);
        if self.daemon(id).jobs.get(&job) == Some(&Job::Running) {
            return;
        }
        self.daemon(id).jobs.insert(job.clone(), Job::Running);
        let life = self.daemon(id).life;
        let then = Box::new(move |world: &mut Self, (verdict, detail): (Verdict, &str)| {
            let (at, at_ms) = (world.instant(), world.wall_ms(id));
            let found = Found { fence, verdict, detail: detail.to_owned(), at, at_ms };
            world.tell(id, || format!("{}: {} {}", job.0, kind.text(), verdict.text()));
            world.daemon(id).jobs.insert(job, Job::Found(found));
            world.look_soon(id);
        });
        match kind {
            EvidenceKind::Ipmi => self.ask_bmc(id, life, target, then),
            EvidenceKind::Storage => self.ask_storage(id, life, target, then),
            EvidenceKind::Watchdog | EvidenceKind::Operator | EvidenceKind::Reboot => {}
        }
    }

    fn power_up(&mut self, id: HostId, node: NodeName) {
        let now = self.now;
        let Some(target) = self.node(&node) else { return };
        let powering = &mut self.daemon(id).powering;
        if powering.get(&node).is_some_and(|at| now < *at + POWERING) {
            return;
        }
        powering.insert(node, now);
        self.bmc_on(id, target);
    }

    fn told_fence(&mut self, id: HostId, node: &NodeName, goal: &Goal) {
        if !self.story.kept {
            return;
        }
        let (at, by, node) = (self.now, self.hosts[id].name.to_string(), node.to_string());
        let text = self.named(&goal.to_string());
        let line = || format!("     {by}: {node}: {text}");
        let mut about = vec![("node", node.as_str()), ("by", by.as_str())];
        match goal {
            Goal::Condemn { .. } => self.story.event(at, "condemned", &about, line),
            Goal::Prove { by: kinds } => {
                for kind in kinds {
                    let text = || format!("     {by}: {node}: {} proves its death", kind.text());
                    let about = [about[0], about[1], ("kind", kind.text())];
                    self.story.event(at, "evidence", &about, text);
                }
                self.story.event(at, "fenced", &about, line);
            }
            Goal::Record { found } => {
                let failed = found.iter().all(|(_, verdict)| *verdict == Verdict::Failed);
                let kinds: Vec<&str> = found.iter().map(|(kind, _)| kind.text()).collect();
                let kinds = kinds.join(" ");
                about.push(("kind", &kinds));
                let event = if failed { "fence-failed" } else { "evidence" };
                self.story.event(at, event, &about, line);
            }
            Goal::TakeOver { .. }
            | Goal::Settle { .. }
            | Goal::Finish
            | Goal::Withdraw
            | Goal::Place { .. } => self.story.tell(at, line),
        }
    }
}
