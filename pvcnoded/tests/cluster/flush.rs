//! A node leaves service and comes back.

use std::time::Duration;

use pvc_common::state::{DomainState, MigrationMethod, VmState};
use pvc_common::zk::{Expected, key};
use pvc_libvirt::fake::{Guest, MigrationEnd};

use crate::bench::{Bench, name, uuid};

async fn ten_vms_on_hv1(migrates_in: Duration) -> Bench {
    let bench = Bench::new(3).await;
    bench.room.script_all(Guest { migrates_in, ..Guest::default() });
    for n in 0..10 {
        bench.define(n, "hv1", VmState::Start).await;
    }
    for n in 0..10 {
        bench.runs(n, "hv1").await;
    }
    bench
}

async fn reaches(bench: &Bench, state: DomainState) {
    bench
        .until(&format!("hv1 is {state:?}"), |view| {
            view.nodes[&name("hv1")].domain_state.copied() == Some(state)
        })
        .await;
}

fn on_hv1(bench: &Bench) -> usize {
    (0..10).filter(|n| bench.room.executing_on(uuid(*n)) == ["hv1"]).count()
}

#[tokio::test(start_paused = true)]
async fn a_flush_empties_the_node_in_parallel_and_an_unflush_brings_all_home() {
    let bench = ten_vms_on_hv1(Duration::from_secs(10)).await;
    let begun = tokio::time::Instant::now();
    bench.domain_state("hv1", DomainState::Flush).await;
    reaches(&bench, DomainState::Flushed).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(on_hv1(&bench), 0);
    bench.domain_state("hv1", DomainState::Unflush).await;
    reaches(&bench, DomainState::Ready).await;
    for n in 0..10 {
        bench.runs(n, "hv1").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reversed_flush_keeps_what_has_not_left_at_once() {
    let bench = ten_vms_on_hv1(Duration::from_secs(60)).await;
    bench.domain_state("hv1", DomainState::Flush).await;
    bench.pass(Duration::from_secs(5)).await;
    bench.domain_state("hv1", DomainState::Unflush).await;
    let begun = tokio::time::Instant::now();
    reaches(&bench, DomainState::Ready).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for n in 0..10 {
        bench.runs(n, "hv1").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_nobody_can_take_waits_for_its_node() {
    let bench = Bench::new(1).await;
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    bench.domain_state("hv1", DomainState::Flush).await;
    reaches(&bench, DomainState::Flushed).await;
    bench.rests(1, VmState::Stop).await;
    bench.domain_state("hv1", DomainState::Unflush).await;
    reaches(&bench, DomainState::Ready).await;
    bench.runs(1, "hv1").await;
}

#[tokio::test(start_paused = true)]
async fn one_vm_that_cannot_move_live_does_not_hold_up_the_rest() {
    let bench = ten_vms_on_hv1(Duration::from_secs(1)).await;
    let migration_end = MigrationEnd::Fails("unsupported CPU".to_owned());
    bench.room.script(uuid(0), Guest { migration_end, ..Guest::default() });
    bench.domain_state("hv1", DomainState::Flush).await;
    reaches(&bench, DomainState::Flushed).await;
    assert_eq!(on_hv1(&bench), 0);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_cannot_come_home_is_not_pestered_and_does_not_hold_up_the_rest() {
    let bench = ten_vms_on_hv1(Duration::from_secs(1)).await;
    for n in 0..10 {
        bench.put(&key::vm_migration_method(uuid(n)), &Some(MigrationMethod::Live)).await;
    }
    bench.domain_state("hv1", DomainState::Flush).await;
    reaches(&bench, DomainState::Flushed).await;
    let migration_end = MigrationEnd::Fails("unsupported CPU".to_owned());
    bench.room.script(uuid(0), Guest { migration_end, ..Guest::default() });
    let before = bench.read(&key::vm_state(uuid(0))).await.expected();
    bench.domain_state("hv1", DomainState::Unflush).await;
    reaches(&bench, DomainState::Ready).await;
    assert_eq!(on_hv1(&bench), 9);
    let vm = bench.vm(0).await;
    assert_eq!(vm.last_node.get().cloned().flatten(), Some(name("hv1")), "it still is its home");
    let (Expected::Version(before), Expected::Version(after)) = (before, vm.state.expected())
    else {
        panic!("a VM without a state");
    };
    assert!(after.0 - before.0 <= 6, "{} wishes", after.0 - before.0);
}
