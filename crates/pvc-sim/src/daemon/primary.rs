//! Who is primary: `pvc_plan::primary`.

use std::collections::VecDeque;
use std::sync::Arc;

use pvc_common::view::View;
use pvc_plan::primary::{Goal, Situation, Step, plan};

use super::World;
use crate::ensemble::Outcome;
use crate::world::{HostId, Whose};

impl World {
    pub(super) fn look_at_primary(&mut self, id: HostId, view: &Arc<View>) {
        if self.daemon(id).acting {
            return;
        }
        let host = &self.hosts[id];
        let steps = plan(&Situation {
            me: &host.name,
            view,
            has_addresses: host.addresses,
            has_all_addresses: host.addresses,
            has_services: host.services,
            has_all_services: host.services,
        })
        .steps;
        if !steps.is_empty() {
            self.daemon(id).acting = true;
            self.step_primary(id, steps.into());
        }
    }

    fn step_primary(&mut self, id: HostId, mut steps: VecDeque<Step>) {
        let Some(step) = steps.pop_front() else {
            self.daemon(id).acting = false;
            return self.look_soon(id);
        };
        let (boot, life) = (self.hosts[id].boot, self.daemon(id).life);
        let then = move |world: &mut Self| {
            if world.hosts[id].lives(life) {
                world.step_primary(id, steps);
            }
        };
        let me = Whose::Host(id, boot);
        match step {
            Step::Write { goal, ops } => self.commit(id, ops, move |world, outcome| {
                if outcome == Outcome::Done {
                    world.told_primary(id, goal);
                    then(world);
                } else {
                    world.daemon(id).acting = false;
                    world.look_soon(id);
                }
            }),
            Step::AcquireAddresses => self.within(20, 80, me, move |world| {
                world.hosts[id].addresses = true;
                world.dirty = true;
                then(world);
            }),
            Step::DropAddresses => self.within(20, 80, me, move |world| {
                world.hosts[id].addresses = false;
                then(world);
            }),
            Step::StartServices => self.within(200, 600, me, move |world| {
                world.hosts[id].services = true;
                then(world);
            }),
            Step::StopServices => self.within(100, 300, me, move |world| {
                world.hosts[id].services = false;
                then(world);
            }),
        }
    }

    fn told_primary(&mut self, id: HostId, goal: Goal) {
        let (at, name) = (self.now, self.hosts[id].name.to_string());
        match goal {
            Goal::Reign => {
                let about = [("node", name.as_str())];
                self.story.event(at, "primary", &about, || format!("     {name}: is primary"));
            }
            Goal::Stand | Goal::Resign | Goal::TakeOver | Goal::Relinquish | Goal::Retire => {
                self.tell(id, || format!("primary: {goal}"));
            }
        }
    }
}
