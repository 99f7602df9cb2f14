//! Random schedules: faults and wishes by chance, then peace, in which everything must come
//! right.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use crate::chance::Chance;
use crate::guard::Guard;
use crate::script::{Bmc, Command, NETS, Timed};
use crate::setup::{Config, NodeSetup, Setup, VmSetup};
use crate::story::Story;
use crate::world::{Whose, World};

/// How large and how long.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Nodes.
    pub nodes: usize,
    /// VMs.
    pub vms: usize,
    /// Minutes of faults.
    pub minutes: u64,
}

/// From this seed on there are maintenance, firewalls, hosts that boot after each other, and power
/// cuts of everything, too. What the seeds before do to a cluster stays as it was.
pub const MORE: u64 = 100_000;

/// How long the world has to come right.
const PEACE: Duration = Duration::from_secs(300);

/// Plays the random schedule of a seed; its story is kept if asked for.
///
/// # Errors
/// When the setup makes no sense: a mistake of this module.
pub fn run(seed: u64, size: Size, without: Option<Guard>, keep: bool) -> Result<World> {
    let mut chance = Chance::new(seed ^ 0xc4a0_5000_0000_0000);
    let mut setup = setup(&mut chance, size);
    let mut script = schedule(&mut chance, &setup, size);
    if seed >= MORE {
        more(&mut Chance::new(seed ^ 0x3013_0000_0000_0000), &mut setup, &mut script, size);
    }
    let story = if keep { Story::kept() } else { Story::default() };
    let mut world = World::new(&setup, seed, story)?;
    world.without = without;
    world.stumbles = [0, 0, 2, 10][chance.index(4)];
    let over = Duration::from_secs(size.minutes * 60);
    world.after(over, Whose::Nobody, move |world| {
        world.stumbles = 0;
        world.heal_everything();
        if seed >= MORE {
            world.enact(&Command::Maintenance(false));
        }
    });
    // Fenced nodes come back by a person's wish.
    for wait in [60, 120, 150] {
        let names: Vec<String> = setup.nodes.keys().cloned().collect();
        world.after(over + Duration::from_secs(wait), Whose::Nobody, move |world| {
            for name in names {
                world.enact(&Command::PowerOn(name.clone()));
                world.enact(&Command::Node(name, "ready".to_owned()));
            }
        });
    }
    world.after(over + PEACE, Whose::Nobody, |world| world.over = true);
    world.play(script);
    if world.violations.is_empty() {
        world.check_peace();
    }
    Ok(world)
}

fn setup(chance: &mut Chance, size: Size) -> Setup {
    let coordinators = if size.nodes < 3 {
        1
    } else if size.nodes < 7 {
        3
    } else {
        5
    };
    let watchdogs = chance.below(3);
    let boot_ms = [4_000, 15_000, 45_000][chance.index(3)];
    let name = |number: usize| format!("hv{}", number + 1);
    let nodes: BTreeMap<String, NodeSetup> = (0..size.nodes)
        .map(|number| {
            let watchdog = watchdogs == 2 || watchdogs == 1 && chance.happens(500);
            let coordinator = number < coordinators;
            let (memory_mib, vcpus) = (65_536, 64);
            (name(number), NodeSetup { coordinator, memory_mib, vcpus, boot_ms, watchdog })
        })
        .collect();
    let vms = (0..size.vms)
        .map(|number| {
            let local = watchdogs > 0 && chance.happens(200);
            let vm = VmSetup {
                node: name(chance.index(size.nodes)),
                memory_mib: 1_024 << chance.below(3),
                vcpus: 2,
                state: "start".to_owned(),
                node_limit: vec![],
                selector: None,
                method: None,
                autostart: false,
                disks: if local { "local" } else { "rbd" }.to_owned(),
            };
            (format!("vm{:02}", number + 1), vm)
        })
        .collect();
    let storage = ["true", "true", "required", "false"][chance.index(4)];
    let config = Config {
        storage_fence: storage.to_owned(),
        ipmi: chance.happens(800),
        mesh: chance.happens(950),
        // A storm of fences is waited out in a quarter of an hour: here they may go on.
        storm_cap: chance.happens(900).then_some(1_000),
        power_on: chance.happens(800),
        ..Config::default()
    };
    Setup { nodes, vms, config, seed: 0 }
}

/// Whether a BMC may lie: only where nothing but Ceph keeps VMs from their disks.
fn may_lie(setup: &Setup) -> bool {
    setup.config.storage_fence == "true" && setup.vms.values().all(|vm| vm.disks == "rbd")
}

fn schedule(chance: &mut Chance, setup: &Setup, size: Size) -> Vec<Timed> {
    let end = Duration::from_secs(size.minutes * 60);
    let pace = [3_000, 15_000, 60_000][chance.index(3)];
    let nodes: Vec<&String> = setup.nodes.keys().collect();
    let vms: Vec<&String> = setup.vms.keys().collect();
    let mut script: Vec<Timed> = Vec::new();
    let mut at = chance.between(6_000, 20_000);
    while at < end {
        let node = nodes[chance.index(nodes.len())].clone();
        let other = nodes[chance.index(nodes.len())].clone();
        let vm = vms.get(chance.index(vms.len())).map(|vm| (*vm).clone());
        for (later, command) in trouble(chance, setup, node, other, vm) {
            script.push((at + later, command));
        }
        at += chance.between(50, pace);
    }
    script.retain(|(at, _)| *at < end);
    script.sort_by_key(|(at, _)| *at);
    script
}

/// What the first seeds do not have.
fn more(chance: &mut Chance, setup: &mut Setup, script: &mut Vec<Timed>, size: Size) {
    if chance.happens(500) {
        for node in setup.nodes.values_mut() {
            node.boot_ms = chance.below(90_000) + 4_000;
        }
    }
    let end = Duration::from_secs(size.minutes * 60);
    let pace = [30_000, 120_000, 600_000][chance.index(3)];
    let nodes: Vec<&String> = setup.nodes.keys().collect();
    let mut at = chance.between(6_000, pace);
    while at < end {
        let over = at + chance.between(2_000, 90_000);
        let node = nodes[chance.index(nodes.len())];
        let all = |command: fn(String) -> Command| {
            nodes.iter().map(move |node| command((*node).clone())).collect::<Vec<_>>()
        };
        let (begins, ends) = match chance.below(6) {
            0 | 1 => (vec![Command::Maintenance(true)], vec![Command::Maintenance(false)]),
            2 => {
                (vec![Command::Mesh(node.clone(), true)], vec![Command::Mesh(node.clone(), false)])
            }
            3 => (all(|node| Command::Mesh(node, true)), all(|node| Command::Mesh(node, false))),
            4 => (all(|node| Command::Cut(node, NETS.to_vec())), all(Command::Heal)),
            _ => (all(Command::PowerCut), all(Command::PowerOn)),
        };
        script.extend(begins.into_iter().map(|command| (at, command)));
        script.extend(ends.into_iter().map(|command| (over, command)));
        at += chance.between(1_000, pace);
    }
    script.retain(|(at, _)| *at < end);
    script.sort_by_key(|(at, _)| *at);
}

/// One fault and its end, or one wish.
fn trouble(
    chance: &mut Chance,
    setup: &Setup,
    node: String,
    other: String,
    vm: Option<String>,
) -> Vec<(Duration, Command)> {
    let now = Duration::ZERO;
    let short = chance.between(100, 4_000);
    let long = chance.between(2_000, 90_000);
    let while_ = if chance.happens(400) { short } else { long };
    match chance.below(20) {
        0 | 1 => vec![(now, Command::PowerCut(node.clone())), (while_, Command::PowerOn(node))],
        2 => vec![
            (now, Command::Bmc(node.clone(), bmc(chance, setup))),
            (now, Command::PowerCut(node.clone())),
            (long, Command::Bmc(node.clone(), Bmc::Ok)),
            (long * 2, Command::PowerOn(node)),
        ],
        3 => vec![
            (now, Command::Bmc(node.clone(), bmc(chance, setup))),
            (long * 2, Command::Bmc(node, Bmc::Ok)),
        ],
        4 | 5 => {
            vec![(now, Command::Cut(node.clone(), NETS.to_vec())), (while_, Command::Heal(node))]
        }
        6 => {
            let nets = NETS.into_iter().filter(|_| chance.happens(500)).collect::<Vec<_>>();
            vec![(now, Command::Cut(node.clone(), nets)), (while_, Command::Heal(node))]
        }
        7 => vec![
            (now, Command::OneWay(node.clone(), other.clone(), true)),
            (while_, Command::OneWay(node, other, false)),
        ],
        8 => vec![
            (now, Command::Loss(node.clone(), [5, 5, 30][chance.index(3)])),
            (long, Command::Loss(node, 0)),
        ],
        9 | 10 => {
            vec![(now, Command::Freeze(node.clone())), (while_, Command::Thaw(node))]
        }
        11 => vec![(now, Command::Clock(node, if chance.happens(500) { 3_600 } else { -3_600 }))],
        12 => vec![
            (now, Command::ZooKeeper(node.clone(), false)),
            (while_, Command::ZooKeeper(node, true)),
        ],
        13 | 14 => {
            vec![(now, Command::Daemon(node.clone(), false)), (while_, Command::Daemon(node, true))]
        }
        15 => {
            let verb = ["flush", "ready", "primary", "secondary"][chance.index(4)];
            vec![(now, Command::Node(node, verb.to_owned()))]
        }
        _ => vm.map(|vm| (now, wish(chance, vm, other))).into_iter().collect(),
    }
}

fn bmc(chance: &mut Chance, setup: &Setup) -> Bmc {
    match chance.below(3) {
        0 => Bmc::Dead,
        1 if may_lie(setup) => Bmc::Lying,
        _ => Bmc::Slow(chance.below(6_000)),
    }
}

fn wish(chance: &mut Chance, vm: String, node: String) -> Command {
    match chance.below(8) {
        0..=2 => Command::Vm(vm, "migrate".to_owned(), Some(node)),
        3 => Command::Vm(vm, "move".to_owned(), Some(node)),
        4 => Command::Vm(vm, "unmigrate".to_owned(), None),
        5 => Command::Vm(vm, "restart".to_owned(), None),
        6 => Command::Vm(vm, "stop".to_owned(), None),
        _ => Command::Vm(vm, "start".to_owned(), None),
    }
}
