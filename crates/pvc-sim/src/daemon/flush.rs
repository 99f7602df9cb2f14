//! A node's own flush and unflush: `pvc_plan::flush`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pvc_common::id::VmUuid;
use pvc_common::state::DomainState;
use pvc_common::view::View;
use pvc_plan::flush::{Goal, Turn, Write, plan};

use super::World;
use crate::ensemble::Outcome;
use crate::world::HostId;

/// As the real daemon has it: so long nobody is asked again, times how often it was asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// And so often a VM is asked to come home.
const FETCHES: u32 = 3;

impl World {
    pub(super) fn look_at_flush(&mut self, id: HostId, view: &View) -> Option<Instant> {
        let (me, now) = (self.hosts[id].name.clone(), self.instant());
        let state = view.nodes.get(&me).and_then(|node| node.domain_state.copied());
        let daemon = self.daemon(id);
        if state != daemon.doing {
            daemon.doing = state;
            daemon.asked.clear();
        }
        if daemon.flushing {
            return None;
        }
        let comes = state == Some(DomainState::Unflush);
        let turn = |vm: VmUuid| match daemon.asked.get(&vm) {
            None => Turn::Now,
            Some((times, at)) if now < *at + PATIENCE * *times => Turn::Later,
            Some((times, _)) if comes && *times >= FETCHES => Turn::Never,
            Some(_) => Turn::Now,
        };
        let plan = plan(&me, view, turn);
        let next = plan.remaining.iter().filter_map(|vm| daemon.asked.get(vm));
        let wake = next.map(|(times, at)| *at + PATIENCE * *times).filter(|at| *at > now).min();
        if !plan.writes.is_empty() {
            daemon.flushing = true;
            self.write_wishes(id, plan.writes.into());
        }
        wake
    }

    fn write_wishes(&mut self, id: HostId, mut writes: VecDeque<Write>) {
        let Some(write) = writes.pop_front() else {
            self.daemon(id).flushing = false;
            return self.look_soon(id);
        };
        let goal = write.goal;
        self.commit(id, write.ops, move |world, outcome| {
            if outcome == Outcome::Done {
                world.wished(id, &goal);
            }
            world.write_wishes(id, writes);
        });
    }

    fn wished(&mut self, id: HostId, goal: &Goal) {
        let now = self.instant();
        match goal {
            Goal::SendAway { vm, .. } | Goal::Fetch { vm } => {
                let asked = &mut self.daemon(id).asked;
                let times = asked.get(vm).map_or(0, |(times, _)| *times) + 1;
                asked.insert(*vm, (times, now));
            }
            Goal::ShutDown { .. } | Goal::Start { .. } | Goal::Flushed | Goal::Ready => {}
        }
        let event = match goal {
            Goal::Flushed => Some("flushed"),
            Goal::Ready => Some("ready"),
            Goal::SendAway { .. }
            | Goal::Fetch { .. }
            | Goal::ShutDown { .. }
            | Goal::Start { .. } => None,
        };
        let text = self.named(&goal.to_string());
        match event {
            Some(event) => {
                let (at, name) = (self.now, self.hosts[id].name.to_string());
                let about = [("node", name.as_str())];
                self.story.event(at, event, &about, || format!("     {name}: {text}"));
            }
            None => self.tell(id, || text),
        }
    }

    /// A text with the names of VMs in place of their UUIDs.
    pub(crate) fn named(&self, text: &str) -> String {
        if !self.story.kept {
            return String::new();
        }
        let mut text = text.to_owned();
        for vm in &self.vms {
            text = text.replace(&vm.uuid.to_string(), &vm.name);
        }
        text
    }
}
