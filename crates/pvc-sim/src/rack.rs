//! A cluster of a thousand nodes loses a rack: how long does each decision take?

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pvc_common::model::Suspicion;
use pvc_common::state::Verdict;
use pvc_common::zk::{Op, Text, key};
use pvc_plan::fence::{self, Found, Job, Jobs, Sight, Situation, Step};
use pvc_plan::mesh;

use crate::setup::{Config, NodeSetup, Setup, VmSetup};
use crate::story::Story;
use crate::world::World;

/// How large the cluster is.
fn setup(nodes: usize, vms: usize) -> Setup {
    let name = |number: usize| format!("hv{number:04}");
    let node = |number: usize| {
        let coordinator = number < 5;
        let node = NodeSetup {
            coordinator,
            memory_mib: 1 << 20,
            vcpus: 256,
            boot_ms: 60_000,
            watchdog: false,
        };
        (name(number), node)
    };
    let vm = |number: usize| {
        let vm = VmSetup {
            node: name(number % nodes),
            memory_mib: 2_048,
            vcpus: 2,
            state: "start".to_owned(),
            node_limit: vec![],
            selector: None,
            method: None,
            autostart: false,
            disks: "rbd".to_owned(),
        };
        (format!("vm{number:06}"), vm)
    };
    let config = Config { storm_cap: Some(nodes), ..Config::default() };
    Setup {
        nodes: (0..nodes).map(node).collect(),
        vms: (0..vms).map(vm).collect(),
        config,
        seed: 0,
    }
}

/// Loses so many nodes at once, and tells how long each decision took.
#[must_use]
pub fn run(nodes: usize, vms: usize, lost: usize) -> String {
    let mut text = String::new();
    let Ok(mut world) = World::new(&setup(nodes, vms), 1, Story::default()) else {
        return "such a cluster cannot be built\n".to_owned();
    };
    let lost: Vec<_> = world.names.iter().rev().take(lost).cloned().collect();
    for subject in &lost {
        for observer in mesh::observers(subject, &world.names) {
            if !lost.contains(&observer) {
                let path = key::node_suspicion(subject, &observer).into_path();
                let data = Suspicion { number: 1, silent_ms: 1_000 }.encode().into_bytes();
                drop(world.tree.apply(&[Op::CreateEphemeral { path, data }], 0));
            }
        }
    }
    let me = world.hosts[0].name.clone();
    let hears = BTreeSet::new();
    let (mut sight, mut jobs) = (Sight::default(), Jobs::new());
    let began = Instant::now();
    let mut slowest: BTreeMap<&str, Duration> = BTreeMap::new();
    let (mut rounds, mut settled) = (0, 0);
    loop {
        let view = timed(&mut slowest, "view", || world.view());
        world.now += Duration::from_millis(500);
        let now = world.instant();
        timed(&mut slowest, "look", || sight.look(&me, &hears, &view, true, now));
        let situation = Situation {
            me: &me,
            view: &view,
            sight: &sight,
            policy: &world.policy,
            jobs: &jobs,
            now,
            wall_ms: 1_800_000_000_000 + world.now.as_millis() as u64,
        };
        let plan = timed(&mut slowest, "plan", || fence::plan(&situation));
        rounds += 1;
        let done = rounds > 10 && plan.steps.is_empty();
        for step in plan.steps {
            match step {
                Step::Write { ops, goal, .. } => {
                    let done = timed(&mut slowest, "write", || world.tree.apply(&ops, 1));
                    if let (Ok(()), fence::Goal::Settle { moved, .. }) = (done, goal) {
                        settled += moved.len();
                    }
                }
                Step::Gather { node, kind } => {
                    let fence = view.nodes.get(&node).and_then(|node| node.liveness.fence.get());
                    let Some(fence) = fence else { continue };
                    let (fence, detail, at) = (fence.id.clone(), "with its rack".to_owned(), now);
                    let found = Found { fence, verdict: Verdict::Proved, detail, at, at_ms: 0 };
                    jobs.insert((node, kind), Job::Found(found));
                }
                Step::MarkDown { node, fence, loss } => sight.mark(&node, fence, loss),
                Step::PowerOn { .. } => {}
            }
        }
        if done || rounds > 200 {
            break;
        }
    }
    let whole = began.elapsed();
    let lost = lost.len();
    text += &format!("{nodes} nodes, {vms} VMs, {lost} nodes lost at once\n");
    text += &format!("{settled} VMs settled in {rounds} rounds, {whole:.1?} of reckoning\n");
    for (what, time) in slowest {
        text += &format!("slowest {what:>6}: {time:.2?}\n");
    }
    text
}

fn timed<T>(
    slowest: &mut BTreeMap<&'static str, Duration>,
    what: &'static str,
    act: impl FnOnce() -> T,
) -> T {
    let began = Instant::now();
    let result = act();
    let time = slowest.entry(what).or_default();
    *time = (*time).max(began.elapsed());
    result
}
