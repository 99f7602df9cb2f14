//! Fences from beginning to end, on a tree in memory that refuses what ZooKeeper would refuse.

mod condemning;
mod proving;
mod recovering;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Fence, FenceLease, Presence, StaticData, Suspicion};
use pvc_common::state::{
    CoordinatorState, DaemonMode, DaemonState, DomainState, EvidenceKind, LeaseKind, Verdict,
    VmState,
};
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::view::{Builder, Scope, View};
use pvc_common::zk::{Key, Op, Text, Version, key};

use super::*;

fn hv(number: u32) -> NodeName {
    format!("hv{number}").parse().unwrap()
}

fn uuid(number: u32) -> VmUuid {
    format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const RBD: &str = "<disk type='network'><source protocol='rbd' name='vms/a'/></disk>";

/// A cluster of coordinators and the eyes of one of them.
struct Scene {
    tree: BTreeMap<String, (Vec<u8>, i32)>,
    now: Instant,
    wall_ms: u64,
    me: NodeName,
    /// Whom `me` hears, whatever it has written in the tree.
    hears: BTreeSet<NodeName>,
    sight: Sight,
    jobs: Jobs,
    policy: Policy,
    log: Vec<String>,
}

impl Scene {
    /// Nodes `hv1` to `hv<count>`, all coordinators that serve, seen by `hv1`, the primary.
    fn new(count: u32) -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do to begin with")]
        let now = Instant::now() + Duration::from_secs(86_400);
        let mut scene = Self {
            tree: BTreeMap::new(),
            now,
            wall_ms: 1_700_000_000_000,
            me: hv(1),
            hears: BTreeSet::new(),
            sight: Sight::default(),
            jobs: Jobs::new(),
            policy: Policy { storage: StorageFence::Off, ..Policy::default() },
            log: vec![],
        };
        scene.put(&key::primary_node(), &Some(hv(1)));
        scene.put(&key::maintenance(), &"false".to_owned());
        for number in 1..=count {
            scene.add_node(&hv(number));
        }
        scene.look();
        scene
    }

    fn add_node(&mut self, node: &NodeName) {
        self.put(&key::node(node), &"coordinator".to_owned());
        self.put(&key::node_mode(node), &DaemonMode::Coordinator);
        self.put(&key::node_daemon_state(node), &DaemonState::Run);
        self.put(&key::node_coordinator_state(node), &CoordinatorState::Secondary);
        self.put(&key::node_domain_state(node), &DomainState::Ready);
        self.put(&key::node_keepalive(node), &1);
        self.put(&key::node_mem_total(node), &Mib(64_000));
        self.put(&key::node_mem_free(node), &Mib(60_000));
        self.put(&key::node_vcpu_alloc(node), &Vcpus(0));
        self.put(&key::node_cpu_load(node), &0.0);
        self.put(&key::node_domains_count(node), &0);
        self.put(&key::node_running_domains(node), &vec![]);
        let (kernel, os, arch) = ("6.1".to_owned(), "GNU/Linux".to_owned(), "x86_64".to_owned());
        let static_data = StaticData { cpu_count: 16, kernel, os, arch };
        self.put(&key::node_static_data(node), &static_data);
        let presence = Presence {
            boot: "first".to_owned(),
            mesh: vec!["10.0.0.1:7411".parse().unwrap()],
            ..Presence::default()
        };
        self.put(&key::node_presence(node), &presence);
    }

    /// A VM that runs on `node` and needs so much memory.
    fn add_vm(&mut self, number: u32, node: &NodeName, memory_mib: u64, disk: &str) {
        let vm = uuid(number);
        self.put(&key::vm_name(vm), &format!("vm{number}").parse().unwrap());
        self.put(&key::vm_state(vm), &VmState::Start);
        self.put(&key::vm_node(vm), &Some(node.clone()));
        self.put(&key::vm_last_node(vm), &None);
        self.put(&key::vm_autostart(vm), &false);
        self.put(&key::vm_claim(vm), &pvc_common::model::Claim::of(node.clone()));
        let xml = format!(
            "<domain><memory unit='MiB'>{memory_mib}</memory><vcpu>1</vcpu>\
             <devices>{disk}</devices></domain>"
        );
        self.put(&key::vm_xml(vm), &xml.into());
    }

    fn put<T: Text>(&mut self, key: &Key<T>, value: &T) {
        let version = self.tree.get(key.path()).map_or(0, |(_, version)| version + 1);
        self.tree.insert(key.path().to_owned(), (value.encode().into_bytes(), version));
    }

    fn remove<T>(&mut self, key: &Key<T>) {
        self.tree.remove(key.path());
    }

    fn get<T: Text>(&self, key: &Key<T>) -> Option<T> {
        let (data, _) = self.tree.get(key.path())?;
        Some(T::decode(std::str::from_utf8(data).unwrap()).unwrap())
    }

    fn view(&self) -> View {
        let mut builder = Builder::new(Scope::Full);
        for (path, (data, version)) in &self.tree {
            builder.set(path, Some((data, Version(*version))));
        }
        let view = builder.snapshot();
        assert!(view.faults.is_empty(), "{:?}", view.faults);
        (*view).clone()
    }

    fn look(&mut self) {
        let view = self.view();
        self.sight.look(&self.me, &self.hears, &view, true, self.now);
    }

    fn plan(&mut self) -> Plan {
        let view = self.view();
        self.sight.look(&self.me, &self.hears, &view, true, self.now);
        plan(&Situation {
            me: &self.me,
            view: &view,
            sight: &self.sight,
            policy: &self.policy,
            jobs: &self.jobs,
            now: self.now,
            wall_ms: self.wall_ms,
        })
    }

    /// Commits a transaction, or refuses it whole.
    fn commit(&mut self, ops: &[Op]) -> bool {
        let mut tree = self.tree.clone();
        for op in ops {
            let at = |version: Version| tree.get(op.path()).is_some_and(|(_, v)| *v == version.0);
            let fits = match op {
                Op::Create { path, .. } | Op::CreateEphemeral { path, .. } => {
                    !tree.contains_key(path)
                }
                Op::Set { version, .. }
                | Op::Delete { version, .. }
                | Op::Check { version, .. } => at(*version),
            };
            if !fits {
                return false;
            }
            match op {
                Op::Create { path, data } | Op::CreateEphemeral { path, data } => {
                    tree.insert(path.clone(), (data.clone(), 0));
                }
                Op::Set { path, data, version } => {
                    tree.insert(path.clone(), (data.clone(), version.0 + 1));
                }
                Op::Delete { path, .. } => drop(tree.remove(path)),
                Op::Check { .. } => {}
            }
        }
        self.tree = tree;
        true
    }

    /// Plans and acts until nothing more is done; jobs begin and stay running.
    fn settle(&mut self) {
        for _ in 0..50 {
            let plan = self.plan();
            if plan.steps.is_empty() {
                return;
            }
            for step in plan.steps {
                match step {
                    Step::Write { node, goal, ops } => {
                        let done = self.commit(&ops);
                        let refused = if done { "" } else { " (refused)" };
                        self.log.push(format!("{node}: {goal}{refused}"));
                        if matches!(goal, Goal::Settle { .. }) {
                            self.sight.settled(&node, done);
                        }
                    }
                    Step::Gather { node, kind } => {
                        self.log.push(format!("{node}: gather {kind:?}"));
                        self.jobs.insert((node, kind), Job::Running);
                    }
                    Step::MarkDown { node, fence, loss } => {
                        self.log.push(format!("{node}: its OSDs are {loss:?}"));
                        self.sight.mark(&node, fence, loss);
                    }
                    Step::PowerOn { node } => self.log.push(format!("{node}: power on")),
                }
            }
        }
        panic!("it never comes to rest: {:#?}", self.log);
    }

    /// Time passes in small steps, with everything that is due done in time.
    fn pass(&mut self, long: Duration) {
        let end = self.now + long;
        while self.now < end {
            let step = ms(100).min(end - self.now);
            self.now += step;
            self.wall_ms += u64::try_from(step.as_millis()).unwrap();
            self.settle();
        }
    }

    fn suspect(&mut self, node: u32, by: &[u32]) {
        for observer in by {
            let suspicion = Suspicion { number: self.wall_ms, silent_ms: 1_000 };
            self.put(&key::node_suspicion(&hv(node), &hv(*observer)), &suspicion);
        }
        self.settle();
    }

    fn acquit(&mut self, node: u32, by: &[u32]) {
        for observer in by {
            self.remove(&key::node_suspicion(&hv(node), &hv(*observer)));
        }
    }

    fn keepalive(&mut self, node: u32) {
        let before = self.get(&key::node_keepalive(&hv(node))).unwrap();
        self.put(&key::node_keepalive(&hv(node)), &(before + 1));
    }

    fn found(&mut self, node: u32, kind: EvidenceKind, verdict: Verdict) {
        self.learn(node, kind, verdict);
        self.settle();
    }

    fn learn(&mut self, node: u32, kind: EvidenceKind, verdict: Verdict) {
        let fence = self.fence(node).expect("a fence is under way").id;
        let (at, at_ms) = (self.now, self.wall_ms);
        let found = Found { fence, verdict, detail: "told".to_owned(), at, at_ms };
        self.jobs.insert((hv(node), kind), Job::Found(found));
    }

    fn promise(&mut self, node: u32, kind: LeaseKind, length_ms: u64, voters: &[u32]) {
        let voters = voters.iter().map(|voter| hv(*voter)).collect();
        let lease = FenceLease { kind, ms: length_ms, voters };
        self.put(&key::node_lease(&hv(node)), &Some(lease));
    }

    /// The node tells of another boot.
    fn boots_again(&mut self, node: u32) {
        let presence = Presence { boot: "second".to_owned(), ..Presence::default() };
        self.put(&key::node_presence(&hv(node)), &presence);
    }

    fn fence(&self, node: u32) -> Option<Fence> {
        self.get(&key::node_fence(&hv(node)))
    }

    fn state(&self, node: u32) -> DaemonState {
        self.get(&key::node_daemon_state(&hv(node))).unwrap()
    }

    fn claim(&self, vm: u32) -> Option<String> {
        self.get(&key::vm_claim(uuid(vm))).map(|claim| claim.encode())
    }
}
