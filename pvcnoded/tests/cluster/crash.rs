//! Daemons killed at any moment leave nothing that the next one does not finish.

use std::time::Duration;

use pvc_common::state::{DomainState, VmState};
use pvc_libvirt::fake::Guest;

use crate::bench::{Bench, name, uuid};

fn slow() -> Guest {
    Guest {
        starts_in: Duration::from_millis(300),
        migrates_in: Duration::from_secs(3),
        lingers: Duration::from_millis(200),
        ..Guest::default()
    }
}

/// Kills the daemon of `victim` after `delay` and starts it again.
async fn interrupt(bench: &mut Bench, victim: &str, delay: Duration) {
    tokio::time::sleep(delay).await;
    bench.kill(victim);
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.boot(victim).await;
}

#[tokio::test(start_paused = true)]
async fn a_restarted_daemon_does_not_disturb_its_vms() {
    let mut bench = Bench::new(1).await;
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    let before = bench.room.history(uuid(1)).len();
    interrupt(&mut bench, "hv1", Duration::ZERO).await;
    bench.pass(Duration::from_secs(30)).await;
    bench.runs(1, "hv1").await;
    assert_eq!(bench.room.history(uuid(1)).len(), before, "nothing happened to it");
}

#[tokio::test(start_paused = true)]
async fn a_start_interrupted_anywhere_is_finished() {
    for ms in (0..800).step_by(20) {
        let mut bench = Bench::new(1).await;
        bench.room.script_all(slow());
        bench.define(1, "hv1", VmState::Start).await;
        interrupt(&mut bench, "hv1", Duration::from_millis(ms)).await;
        bench.runs(1, "hv1").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_interrupted_anywhere_on_either_side_is_finished() {
    for victim in ["hv1", "hv2"] {
        for ms in (0..4000).step_by(50) {
            let mut bench = Bench::new(2).await;
            bench.define(1, "hv1", VmState::Start).await;
            bench.runs(1, "hv1").await;
            bench.room.script_all(slow());
            bench.migrate(1, "hv2").await;
            interrupt(&mut bench, victim, Duration::from_millis(ms)).await;
            bench.runs(1, "hv2").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_interrupted_anywhere_is_finished() {
    for ms in (0..6000).step_by(250) {
        let mut bench = Bench::new(3).await;
        for n in 0..6 {
            bench.define(n, "hv1", VmState::Start).await;
        }
        for n in 0..6 {
            bench.runs(n, "hv1").await;
        }
        bench.room.script_all(slow());
        bench.domain_state("hv1", DomainState::Flush).await;
        interrupt(&mut bench, "hv1", Duration::from_millis(ms)).await;
        bench
            .until("hv1 is flushed", |view| {
                view.nodes[&name("hv1")].domain_state.copied() == Some(DomainState::Flushed)
            })
            .await;
        for n in 0..6 {
            assert_ne!(bench.room.executing_on(uuid(n)), ["hv1"]);
        }
    }
}

/// libvirt goes on with a start whose caller is dead, and shows nothing of it meanwhile.
#[tokio::test(start_paused = true)]
async fn a_vm_whose_start_was_orphaned_is_not_given_away_before_it_is_seen() {
    for killed_after_ms in [100, 1_000, 2_900] {
        let mut bench = Bench::new(2).await;
        let slow = Guest { starts_in: Duration::from_secs(3), ..Guest::default() };
        bench.room.script_all(slow);
        bench.define(1, "hv1", VmState::Start).await;
        bench.until("it is claimed", |view| view.vms[&uuid(1)].claim.get().is_some()).await;
        bench.pass(Duration::from_millis(killed_after_ms)).await;
        bench.kill("hv1");
        bench.room.script_all(Guest::default());
        bench.migrate(1, "hv2").await;
        bench.boot("hv1").await;
        bench.runs(1, "hv2").await;
        bench.pass(Duration::from_secs(10)).await;
        bench.runs(1, "hv2").await;
    }
}
