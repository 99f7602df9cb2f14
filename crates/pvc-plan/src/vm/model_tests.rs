//! Three nodes, one VM, every interleaving chance can find.
//!
//! Views lag or stand still, daemons die between any two steps, nodes lose power, libvirt goes on
//! without its daemon, people change their minds or remove the VM. After every event: at most one QEMU executes the guest, and whoever executes
//! it is named by the claim. When the chaos ends, the wish comes true.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Claim, Origin, Vm};
use pvc_common::observed::RunState;
use pvc_common::state::{MigrationMethod, VmState};
use pvc_common::zk::{Op, Seen, Text, Version, key};

use super::*;

/// A small generator (xorshift64*), so that a seed reproduces its run on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Default)]
struct Tree {
    znodes: BTreeMap<String, (Vec<u8>, i32)>,
}

impl Tree {
    fn commit(&mut self, ops: &[Op]) -> bool {
        let fits = ops.iter().all(|op| match op {
            Op::Create { path, .. } | Op::CreateEphemeral { path, .. } => {
                !self.znodes.contains_key(path)
            }
            Op::Set { path, version, .. }
            | Op::Delete { path, version }
            | Op::Check { path, version } => {
                self.znodes.get(path).is_some_and(|(_, v)| *v == version.0)
            }
        });
        if fits {
            for op in ops {
                match op {
                    Op::Create { path, data } | Op::CreateEphemeral { path, data } => {
                        self.znodes.insert(path.clone(), (data.clone(), 0));
                    }
                    Op::Set { path, data, version } => {
                        self.znodes.insert(path.clone(), (data.clone(), version.0 + 1));
                    }
                    Op::Delete { path, .. } => {
                        self.znodes.remove(path);
                    }
                    Op::Check { .. } => {}
                }
            }
        }
        fits
    }

    fn read<T: Text>(&self, key: &key::Key<T>) -> Seen<T> {
        Seen::read(self.znodes.get(key.path()).map(|(data, v)| (data.as_slice(), Version(*v))))
    }

    fn vm(&self, uuid: VmUuid) -> Vm {
        Vm {
            state: self.read(&key::vm_state(uuid)),
            node: self.read(&key::vm_node(uuid)),
            last_node: self.read(&key::vm_last_node(uuid)),
            claim: self.read(&key::vm_claim(uuid)),
            migrate_origin: self.read(&key::vm_migrate_origin(uuid)),
            failed_reason: self.read(&key::vm_failed_reason(uuid)),
            migration_method: self.read(&key::vm_migration_method(uuid)),
            ..Vm::default()
        }
    }
}

/// A live migration as libvirt carries it on, with or without the daemon that began it.
struct Flight {
    from: usize,
    to: usize,
    switched: bool,
}

#[derive(Default)]
struct Daemon {
    seen: usize,
    /// Its view stands still: nothing reaches its mirror, though its writes get through.
    stalled: bool,
    memory: Memory,
    queue: VecDeque<Step>,
    job: Option<(Job, Wish)>,
}

struct World {
    tree: Tree,
    history: Vec<Vm>,
    nodes: Vec<NodeName>,
    qemu: Vec<Option<RunState>>,
    daemons: Vec<Daemon>,
    flight: Option<Flight>,
    uuid: VmUuid,
    now: Instant,
    chance: Chance,
    calm: bool,
    sabotage: fn(&mut Plan),
    log: Vec<String>,
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "a time that the model counts from")]
    fn new(seed: u64, sabotage: fn(&mut Plan)) -> Self {
        let uuid: VmUuid = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".parse().unwrap();
        let nodes: Vec<NodeName> = ["hv1", "hv2", "hv3"].map(|n| n.parse().unwrap()).into();
        let mut tree = Tree::default();
        let start = [
            key::vm_state(uuid).create(&VmState::Start),
            key::vm_node(uuid).create(&Some(nodes[0].clone())),
            key::vm_last_node(uuid).create(&None),
            key::vm_failed_reason(uuid).create(&String::new()),
            key::vm_migrate_origin(uuid).create(&None),
        ];
        assert!(tree.commit(&start));
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let method = match chance.below(4) {
            0 => Some(MigrationMethod::Live),
            1 => Some(MigrationMethod::Shutdown),
            _ => None,
        };
        assert!(tree.commit(&[key::vm_migration_method(uuid).create(&method)]));
        Self {
            history: vec![tree.vm(uuid)],
            tree,
            qemu: vec![None; 3],
            daemons: (0..3).map(|_| Daemon::default()).collect(),
            nodes,
            flight: None,
            uuid,
            now: Instant::now(),
            chance,
            calm: false,
            sabotage,
            log: vec![],
        }
    }

    fn commit(&mut self, ops: &[Op]) -> bool {
        let done = self.tree.commit(ops);
        if done {
            self.history.push(self.tree.vm(self.uuid));
        }
        done
    }

    fn index(&self, name: &NodeName) -> usize {
        self.nodes.iter().position(|n| n == name).expect("a node of this world")
    }

    /// One activation of a daemon: the view first, then libvirt, then the plan.
    fn activate(&mut self, n: usize) {
        let newest = self.history.len() - 1;
        let lag = newest - self.daemons[n].seen;
        let seen = if self.daemons[n].stalled {
            self.daemons[n].seen
        } else if self.calm || lag == 0 {
            newest
        } else {
            self.daemons[n].seen + usize::try_from(self.chance.below(lag as u64 + 1)).unwrap()
        };
        let migrating = self.flight.as_ref().is_some_and(|f| f.from == n);
        let here = self.qemu[n].map_or(Here::Absent, Here::Present);
        let vm = self.history[seen].clone();
        let target = match self.chance.below(12) {
            0 if !self.calm => Target::Away,
            1 if !self.calm => Target::Starting,
            _ => Target::Serves,
        };
        let now = self.now;
        let daemon = &mut self.daemons[n];
        daemon.seen = seen;
        daemon.memory.observe(here, vm.claim.expected(), now);
        let situation = Situation {
            me: &self.nodes[n],
            uuid: self.uuid,
            vm: &vm,
            here,
            migrating,
            job: daemon.job.as_ref().map(|(job, _)| job),
            memory: &daemon.memory,
            may_start: true,
            own_state: &Seen::Absent,
            target,
            shutdown_timeout: Duration::from_secs(30),
            now,
        };
        let mut plan = plan(&situation);
        (self.sabotage)(&mut plan);
        let wish = situation.wish();
        if daemon.job.is_some() {
            if plan.steps == [Step::AbortMigration] {
                self.abort(n);
            }
            return;
        }
        if !daemon.queue.is_empty() {
            return;
        }
        if !plan.steps.is_empty() {
            let steps: Vec<_> = plan.steps.iter().map(ToString::to_string).collect();
            self.log.push(format!("{}: {}", self.nodes[n], steps.join(", ")));
        }
        let job = plan.steps.iter().find_map(|step| match step {
            Step::Start => Some(Job::Start),
            Step::AskShutdown => Some(Job::AskShutdown),
            Step::Destroy => Some(Job::Destroy),
            Step::Migrate { to } => Some(Job::Migrate { to: to.clone() }),
            Step::Write { .. } | Step::AbortMigration => None,
        });
        daemon.job = job.map(|job| (job, wish));
        daemon.queue = plan.steps.into();
    }

    /// The next step of a daemon, as its executor does it.
    fn step(&mut self, n: usize) {
        let Some(step) = self.daemons[n].queue.pop_front() else {
            return;
        };
        match step {
            Step::Write { ops, .. } => {
                if !self.commit(&ops) {
                    self.daemons[n].queue.clear();
                    self.daemons[n].job = None;
                }
            }
            Step::Start => {
                if self.chance.one_in(6) && !self.calm {
                    self.end(n, &Outcome::Unclear("timed out".into()));
                    return;
                }
                if self.qemu[n].is_none() {
                    self.qemu[n] = Some(RunState::Running);
                }
                self.end(n, &Outcome::Done);
            }
            Step::AskShutdown => {
                if self.qemu[n] == Some(RunState::Running)
                    && self.flight.is_none()
                    && self.chance.one_in(2)
                {
                    self.qemu[n] = None;
                }
                self.end(n, &Outcome::Done);
            }
            Step::Destroy => {
                self.destroy(n);
                self.end(n, &Outcome::Done);
            }
            Step::Migrate { to } => {
                let to = self.index(&to);
                let possible = self.qemu[n] == Some(RunState::Running)
                    && self.qemu[to].is_none()
                    && self.flight.is_none();
                if possible {
                    self.qemu[to] = Some(RunState::Incoming);
                    self.flight = Some(Flight { from: n, to, switched: false });
                } else {
                    self.end(n, &Outcome::Refused("refused".into()));
                }
            }
            Step::AbortMigration => self.abort(n),
        }
    }

    fn end(&mut self, n: usize, outcome: &Outcome) {
        let now = self.now;
        let daemon = &mut self.daemons[n];
        if let Some((job, wish)) = daemon.job.take() {
            daemon.memory.ended(&job, outcome, wish, now);
        }
    }

    fn destroy(&mut self, n: usize) {
        self.qemu[n] = None;
        if let Some(flight) = self.flight.take_if(|f| f.from == n || f.to == n) {
            // Killed before the switch-over, the other side is not left with half a VM.
            if !flight.switched {
                let other = if flight.from == n { flight.to } else { flight.from };
                self.qemu[other] = (other == flight.from).then_some(RunState::Running);
            }
            self.end(flight.from, &Outcome::Unclear("killed".into()));
        }
    }

    fn abort(&mut self, n: usize) {
        if let Some(flight) = self.flight.take_if(|f| f.from == n && !f.switched) {
            self.qemu[flight.to] = None;
            self.qemu[n] = Some(RunState::Running);
            self.end(n, &Outcome::Unclear("aborted".into()));
        }
    }

    /// Libvirt carries its migration on by one phase.
    fn fly(&mut self) {
        let Some(flight) = &mut self.flight else {
            return;
        };
        let (from, to) = (flight.from, flight.to);
        if flight.switched {
            self.qemu[from] = None;
            self.flight = None;
            self.end(from, &Outcome::Done);
        } else if self.chance.one_in(3) && !self.calm {
            self.abort(from);
        } else {
            flight.switched = true;
            self.qemu[from] = Some(RunState::Outgone);
            self.qemu[to] = Some(RunState::Running);
        }
    }

    fn crash(&mut self, n: usize) {
        self.log.push(format!("{}: daemon killed", self.nodes[n]));
        let seen = self.daemons[n].seen;
        self.daemons[n] = Daemon { seen, ..Daemon::default() };
    }

    /// A node's QEMU and daemon are gone at once; it comes back.
    fn power_cut(&mut self, n: usize) {
        self.log.push(format!("{}: power cut", self.nodes[n]));
        if let Some(flight) = self.flight.take_if(|f| f.to == n && f.switched) {
            // Libvirt resumes the source of a migration whose target does not confirm it.
            self.qemu[flight.from] = Some(RunState::Running);
            self.end(flight.from, &Outcome::Unclear("target gone".into()));
        }
        self.destroy(n);
        self.crash(n);
    }

    /// A person changes the wish, as the API writes it.
    fn wish(&mut self) {
        let vm = self.history.last().unwrap().clone();
        if vm.state.copied() == Some(VmState::Delete) {
            return;
        }
        let to = self.nodes[usize::try_from(self.chance.below(3)).unwrap()].clone();
        let from = vm.node.get().cloned().flatten();
        let set = |state| vec![key::vm_state(self.uuid).put(&vm.state, &state)];
        let ops = match self.chance.below(9) {
            0 => set(VmState::Stop),
            1 => set(VmState::Shutdown),
            2 => set(VmState::Restart),
            3 => set(VmState::Disable),
            4 | 5 => set(VmState::Start),
            6 if self.chance.one_in(8) => set(VmState::Delete),
            _ if vm.state.copied() == Some(VmState::Start) => {
                let origin = from.map(|node| Origin { node, last_node: None });
                let mut ops = set(VmState::Migrate);
                ops.push(key::vm_node(self.uuid).put(&vm.node, &Some(to)));
                ops.push(key::vm_migrate_origin(self.uuid).put(&vm.migrate_origin, &origin));
                ops
            }
            _ => vec![key::vm_node(self.uuid).put(&vm.node, &Some(to))],
        };
        self.log.push(format!("person: {ops:?}"));
        assert!(self.commit(&ops));
    }

    fn check(&self) -> Result<(), String> {
        let executing: Vec<usize> =
            (0..3).filter(|n| self.qemu[*n] == Some(RunState::Running)).collect();
        if executing.len() > 1 {
            return Err(format!("runs twice\n{}", self.log.join("\n")));
        }
        let claim = &self.history.last().unwrap().claim;
        for n in executing {
            let name = &self.nodes[n];
            let named = claim.get().is_some_and(|Claim { holder, incoming, .. }| {
                holder == name || incoming.as_ref() == Some(name)
            });
            if !named {
                return Err(format!("{name} runs it without a claim\n{}", self.log.join("\n")));
            }
        }
        Ok(())
    }

    fn event(&mut self) -> Result<(), String> {
        self.now += Duration::from_millis(self.chance.below(4000));
        let n = usize::try_from(self.chance.below(3)).unwrap();
        match self.chance.below(20) {
            0..=8 => self.activate(n),
            9..=14 => self.step(n),
            15 | 16 => self.fly(),
            17 if !self.calm && self.chance.one_in(5) => self.power_cut(n),
            17 if !self.calm => self.crash(n),
            18 if !self.calm && self.chance.one_in(3) => self.wish(),
            18 if !self.calm && self.chance.one_in(8) => {
                self.daemons[n].stalled = !self.daemons[n].stalled;
            }
            19 if !self.calm && self.flight.is_none() && self.chance.one_in(4) => {
                self.qemu[n] = None;
            }
            _ => {}
        }
        self.check()
    }

    fn settled(&self) -> bool {
        let vm = self.history.last().unwrap();
        let holder = vm.claim.get().map(|claim| &claim.holder);
        let node = vm.node.get().cloned().flatten().unwrap();
        let running = self.qemu.iter().position(|q| *q == Some(RunState::Running));
        match vm.state.copied().unwrap() {
            VmState::Start => running == Some(self.index(&node)) && holder == Some(&node),
            VmState::Stop | VmState::Disable | VmState::Fail | VmState::Delete => {
                self.qemu.iter().all(Option::is_none) && holder.is_none()
            }
            _ => false,
        }
    }
}

fn play(seed: u64, sabotage: fn(&mut Plan)) -> Result<(), String> {
    let mut world = World::new(seed, sabotage);
    for _ in 0..400 {
        world.event()?;
    }
    world.calm = true;
    world.daemons.iter_mut().for_each(|daemon| daemon.stalled = false);
    for _ in 0..4000 {
        if world.settled() && world.flight.is_none() {
            return Ok(());
        }
        world.event()?;
    }
    Err(format!("never settles: {:?}\n{}", world.qemu, world.log.join("\n")))
}

#[test]
fn a_vm_never_runs_twice_and_every_wish_comes_true_in_the_end() {
    for seed in 1..=3000 {
        if let Err(why) = play(seed, |_| {}) {
            panic!("seed {seed}: {why}");
        }
    }
}

/// Everything a node has to do now, with nothing in its way.
fn works(world: &mut World, n: usize) {
    for _ in 0..20 {
        world.activate(n);
        world.step(n);
    }
}

/// A claim that was removed and made anew counts its versions from nought again: the version of
/// a claim alone does not prove that it is the one that was seen.
#[test]
fn a_view_that_stood_still_through_a_whole_life_of_the_vm_harms_no_later_one() {
    let mut world = World::new(4, |_| {});
    world.calm = true;
    let (uuid, names) = (world.uuid, world.nodes.clone());
    let wish = move |world: &mut World, state: VmState, on: usize| {
        let vm = world.history.last().unwrap().clone();
        let ops = [
            key::vm_state(uuid).put(&vm.state, &state),
            key::vm_node(uuid).put(&vm.node, &Some(names[on].clone())),
        ];
        assert!(world.commit(&ops));
    };
    works(&mut world, 0);
    wish(&mut world, VmState::Migrate, 1);
    works(&mut world, 0);
    world.fly();
    world.fly();
    world.daemons[0].seen = world.history.len() - 1;
    world.daemons[0].stalled = true;
    works(&mut world, 0);
    assert_eq!(world.qemu, [None, Some(RunState::Running), None]);
    works(&mut world, 1);
    wish(&mut world, VmState::Stop, 1);
    works(&mut world, 1);
    wish(&mut world, VmState::Start, 2);
    works(&mut world, 2);
    wish(&mut world, VmState::Migrate, 1);
    works(&mut world, 2);
    assert_eq!(world.qemu, [None, Some(RunState::Incoming), Some(RunState::Running)]);
    works(&mut world, 0);
    world.check().unwrap();
}

fn each_write(plan: &mut Plan, change: impl Fn(&Goal, &mut Vec<Op>)) {
    for step in &mut plan.steps {
        if let Step::Write { goal, ops } = step {
            change(goal, ops);
        }
    }
}

/// The model itself is checked: it must notice when a guard is missing.
#[track_caller]
fn caught(guard: &str, sabotage: fn(&mut Plan)) {
    assert!((1..=5000).any(|seed| play(seed, sabotage).is_err()), "{guard} is not missed");
}

#[test]
fn the_model_misses_every_guard_that_is_taken_away() {
    caught("the proof before a start", |plan| {
        each_write(plan, |goal, ops| {
            if matches!(goal, Goal::Confirm) {
                ops.clear();
            }
        });
    });
    caught("the claim before a start", |plan| {
        each_write(plan, |goal, ops| {
            if matches!(goal, Goal::Claim) {
                ops.retain(|op| !op.path().ends_with("/claim"));
            }
        });
    });
    caught("the target in the claim", |plan| {
        each_write(plan, |goal, ops| {
            if matches!(goal, Goal::Depart { .. }) {
                ops.retain(|op| !op.path().ends_with("/claim"));
            }
        });
    });
    caught("the hand-over", |plan| {
        plan.steps.retain(|s| !matches!(s, Step::Write { goal: Goal::HandOver { .. }, .. }));
    });
    caught("the return to one holder after a failed migration", |plan| {
        plan.steps.retain(|s| !matches!(s, Step::Write { goal: Goal::Stay, .. }));
    });
}
