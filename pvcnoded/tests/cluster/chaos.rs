//! Three nodes, six VMs, and whatever chance does to them: the real daemons on a fake world.
//!
//! The model of `pvc-plan` tries every interleaving of decisions for one VM; this tries what lies
//! between them: work in the background, mirrors, flushes, the part of the primary.

use std::time::Duration;

use pvc_common::state::{DaemonState, DomainState, VmState};
use pvc_libvirt::fake::{Guest, OnShutdown};

use crate::bench::{Bench, name, uuid};

const NODES: [&str; 3] = ["hv1", "hv2", "hv3"];
const VMS: usize = 6;

/// A small generator (xorshift64*), so that a seed reproduces its run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n).unwrap()
    }
}

async fn disturb(bench: &mut Bench, chance: &mut Chance) -> String {
    let node = NODES[chance.below(3)];
    let n = chance.below(VMS as u64);
    let now = bench.read(&pvc_common::zk::key::vm_state(uuid(n))).await.copied();
    match chance.below(14) {
        0 | 1 if bench.daemons.contains_key(node) => {
            bench.kill(node);
            format!("{node} killed")
        }
        0..=2 if !bench.daemons.contains_key(node) => {
            bench.boot(node).await;
            format!("{node} booted")
        }
        9 if bench.daemons.contains_key(node) => {
            bench.room.power_cut(node);
            bench.kill(node);
            format!("{node} loses power")
        }
        10 if bench.daemons.contains_key(node) => {
            bench.stop(node).await;
            format!("{node} stopped")
        }
        3 => {
            bench.room.hang(node);
            format!("libvirt of {node} hangs")
        }
        4 => {
            NODES.iter().for_each(|node| bench.room.recover(node));
            "libvirts answer".to_owned()
        }
        5 => {
            bench.room.end_vm(uuid(n));
            format!("vm{n} dies")
        }
        6 | 7 if now == Some(VmState::Start) => {
            bench.migrate(n, node).await;
            format!("vm{n} shall be on {node}")
        }
        8 => {
            let state = [DomainState::Flush, DomainState::Unflush][chance.below(2)];
            bench.domain_state(node, state).await;
            format!("{node} shall {state:?}")
        }
        _ => {
            let wishes = [VmState::Start, VmState::Start, VmState::Stop, VmState::Restart];
            let wish = wishes[chance.below(4)];
            bench.wish(n, wish).await;
            format!("vm{n} shall {wish:?}")
        }
    }
}

/// Everybody serves again, and everything comes to rest.
async fn calm(bench: &mut Bench, log: &[String]) {
    for node in NODES {
        bench.room.recover(node);
        if !bench.daemons.contains_key(node) {
            bench.boot(node).await;
        }
        bench.domain_state(node, DomainState::Unflush).await;
    }
    let room = bench.room.clone();
    let settled = bench.until("everything rests", |view| {
        let ready = NODES.iter().all(|node| {
            let node = &view.nodes[&name(node)];
            node.daemon_state.copied() == Some(DaemonState::Run)
                && node.domain_state.copied() == Some(DomainState::Ready)
        });
        let vms = (0..VMS).all(|n| {
            let vm = &view.vms[&uuid(n)];
            let on = room.executing_on(uuid(n));
            let holder = vm.claim.get().map(|claim| claim.holder.to_string());
            let node = vm.node.get().cloned().flatten().map(|node| node.to_string());
            match vm.state.copied() {
                Some(VmState::Start) => {
                    on.len() == 1 && node.as_ref() == on.first() && holder == node
                }
                Some(VmState::Stop) => on.is_empty() && holder.is_none(),
                _ => false,
            }
        });
        ready && vms
    });
    if tokio::time::timeout(Duration::from_secs(500), settled).await.is_err() {
        let view = bench.view().await;
        let nodes: Vec<_> = view.nodes.iter().map(|(n, node)| (n, &node.domain_state)).collect();
        let vms: Vec<_> = view
            .vms
            .iter()
            .map(|(n, vm)| (n, &vm.state, &vm.node, &vm.claim, room.executing_on(*n)))
            .collect();
        panic!("never rests\n{}\n{nodes:?}\n{vms:#?}", log.join("\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_no_vm_runs_twice_and_all_comes_to_rest() {
    for seed in 1..=20 {
        let mut chance = Chance(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15) | 1);
        let mut bench = Bench::new(3).await;
        bench.room.script_all(Guest {
            starts_in: Duration::from_millis(300),
            migrates_in: Duration::from_secs(3),
            lingers: Duration::from_millis(200),
            on_shutdown: OnShutdown::PowersOff { after: Duration::from_secs(2) },
            ..Guest::default()
        });
        for n in 0..VMS {
            bench.define(n, NODES[n % 3], VmState::Start).await;
        }
        let mut log = vec![format!("seed {seed}")];
        for _ in 0..60 {
            log.push(disturb(&mut bench, &mut chance).await);
            let pause = Duration::from_millis(50 * chance.below(80) as u64);
            log.push(format!("... {pause:?}"));
            bench.pass(pause).await;
            assert_eq!(bench.room.ran_twice(), [], "{}", log.join("\n"));
        }
        calm(&mut bench, &log).await;
    }
}
