//! Who is primary: `pvc_plan::primary`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::state::CoordinatorState;
use pvc_common::view::View;
use pvc_common::zk::{Op, key};
use pvc_plan::primary::{Goal, Held, Holding, Phase, Situation, Step, TOUCH, plan};

use super::World;
use crate::ensemble::Outcome;
use crate::world::{HostId, Whose};

/// How often the ensemble is asked whether the part is still this node's.
const ASK: Duration = Duration::from_millis(500);

/// How soon an answer is wanted before one asks again.
const CHECK: Duration = Duration::from_millis(100);

impl World {
    pub(super) fn look_at_primary(&mut self, id: HostId, view: &Arc<View>) {
        self.keep_in_touch(id, view);
        let host = &self.hosts[id];
        let held = |has| if has { Holding::EVERYTHING } else { Holding::NOTHING };
        let held = Held {
            addresses: held(host.addresses),
            leader: held(host.leads),
            services: held(host.services),
        };
        let plan = plan(&Situation { me: &host.name, view, held, silence: self.silence(id) });
        let lets_go = plan.out_of_touch && !plan.steps.is_empty();
        // What is done because nobody is heard waits for nothing.
        if lets_go {
            self.lay_down_addresses(id);
        } else if !self.daemon(id).acting && !plan.steps.is_empty() {
            self.daemon(id).acting = true;
            self.step_primary(id, plan.steps.into());
        }
    }

    /// How long ago it asked what was confirmed last; nought while it has no part to ask for.
    fn silence(&self, id: HostId) -> Duration {
        let daemon = self.hosts[id].daemon.as_ref();
        let touched = daemon.and_then(|daemon| daemon.touched);
        touched.map_or(Duration::ZERO, |at| self.now.saturating_sub(at))
    }

    /// Has the ensemble asked, again and again, for as long as it has a part.
    fn keep_in_touch(&mut self, id: HostId, view: &View) {
        let holds = self.hosts[id].addresses || has_part(self.hosts[id].name.as_str(), view);
        let now = self.now;
        let daemon = self.daemon(id);
        if !holds {
            daemon.touched = None;
        } else if daemon.touched.is_none() {
            daemon.touched = Some(now);
            self.ask_again(id);
        }
    }

    fn ask_again(&mut self, id: HostId) {
        let Some(view) = self.daemon(id).view.clone() else {
            // Without a view nothing can be asked: the silence lasts.
            return self.after(CHECK, self.own(id), move |world| world.watch_silence(id));
        };
        let (me, asked) = (self.hosts[id].name.clone(), self.now);
        let own = view.nodes.get(&me);
        let part =
            own.and_then(|own| key::node_coordinator_state(&me).check(&own.coordinator_state));
        let life = own.and_then(|own| key::node_daemon_state(&me).check(&own.daemon_state));
        let seat = key::primary_node().check(&view.cluster.primary_node);
        let ops: Vec<Op> = seat.into_iter().chain(part).chain(life).collect();
        self.commit(id, ops, move |world, outcome| {
            let daemon = world.daemon(id);
            if outcome == Outcome::Done && daemon.touched.is_some() {
                daemon.touched = daemon.touched.max(Some(asked));
            }
        });
        self.after(ASK, self.own(id), move |world| world.watch_silence(id));
    }

    fn watch_silence(&mut self, id: HostId) {
        if self.daemon(id).touched.is_none() {
            return;
        }
        if self.silence(id) >= TOUCH && self.hosts[id].addresses {
            self.lay_down_addresses(id);
        }
        self.ask_again(id);
    }

    fn lay_down_addresses(&mut self, id: HostId) {
        let boot = self.hosts[id].boot;
        self.within(20, 80, Whose::Host(id, boot), move |world| {
            if std::mem::take(&mut world.hosts[id].addresses) {
                world.tell(id, || {
                    "lays down the floating addresses, for nobody is heard".to_owned()
                });
            }
            world.look_soon(id);
        });
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
            Step::TakeUp(phase) => self.within(20, 300, me, move |world| {
                // Not when the ensemble has fallen silent meanwhile, or the daemon is gone.
                if world.hosts[id].lives(life) && world.silence(id) < TOUCH {
                    world.hold(id, phase, true);
                    then(world);
                } else if world.hosts[id].lives(life) {
                    world.daemon(id).acting = false;
                }
            }),
            Step::LayDown(phase) => self.within(20, 200, me, move |world| {
                world.hold(id, phase, false);
                then(world);
            }),
        }
    }

    fn hold(&mut self, id: HostId, phase: Phase, has: bool) {
        let host = &mut self.hosts[id];
        match phase {
            Phase::Addresses => {
                if std::mem::replace(&mut host.addresses, has) != has {
                    let how = if has { "takes up" } else { "lays down" };
                    self.tell(id, || format!("{how} the floating addresses"));
                }
            }
            Phase::Leader => host.leads = has,
            Phase::Services => host.services = has,
        }
        self.dirty = true;
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

/// Whether a node is, or is becoming or ceasing to be, primary.
fn has_part(me: &str, view: &View) -> bool {
    let own = view.nodes.iter().find(|(name, _)| name.as_str() == me);
    match own.and_then(|(_, own)| own.coordinator_state.copied()) {
        Some(
            CoordinatorState::Takeover | CoordinatorState::Primary | CoordinatorState::Relinquish,
        ) => true,
        Some(CoordinatorState::Secondary | CoordinatorState::Client) | None => false,
    }
}
