//! One VM: started, ended, restarted, moved.

use std::time::Duration;

use pvc_common::state::VmState;
use pvc_libvirt::fake::{Guest, MigrationEnd, OnShutdown};

use crate::bench::{Bench, uuid};

#[tokio::test(start_paused = true)]
async fn a_vm_starts_on_its_node_and_stops_when_told() {
    let bench = Bench::new(3).await;
    bench.define(1, "hv2", VmState::Start).await;
    bench.runs(1, "hv2").await;
    bench.wish(1, VmState::Stop).await;
    bench.rests(1, VmState::Stop).await;
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_powers_itself_off_is_started_again() {
    let bench = Bench::new(1).await;
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    bench.room.end_vm(uuid(1));
    bench.runs(1, "hv1").await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_ignores_the_power_button_is_cut_off_when_its_time_is_up() {
    let bench = Bench::new(1).await;
    bench.room.script_all(Guest { on_shutdown: OnShutdown::Ignores, ..Guest::default() });
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    let asked = tokio::time::Instant::now();
    bench.wish(1, VmState::Shutdown).await;
    bench.rests(1, VmState::Stop).await;
    let took = asked.elapsed().as_secs();
    assert!((180..190).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_aborted_by_wishing_the_vm_to_run() {
    let bench = Bench::new(1).await;
    bench.room.script_all(Guest { on_shutdown: OnShutdown::Ignores, ..Guest::default() });
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    let born = bench.room.history(uuid(1)).len();
    bench.wish(1, VmState::Shutdown).await;
    bench.pass(Duration::from_secs(60)).await;
    bench.wish(1, VmState::Start).await;
    bench.pass(Duration::from_secs(300)).await;
    bench.runs(1, "hv1").await;
    let after = bench.room.history(uuid(1));
    assert!(after.iter().skip(born).all(|event| !format!("{:?}", event.what).contains("Ended")));
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_cannot_start_fails_with_the_reason() {
    let bench = Bench::new(1).await;
    let refuses_start = Some("no such machine type".to_owned());
    bench.room.script_all(Guest { refuses_start, ..Guest::default() });
    bench.define(1, "hv1", VmState::Start).await;
    bench.rests(1, VmState::Fail).await;
    let reason = bench.vm(1).await.failed_reason.get().cloned();
    assert_eq!(reason.as_deref(), Some("no such machine type"));
    bench.room.script_all(Guest::default());
    bench.wish(1, VmState::Start).await;
    bench.runs(1, "hv1").await;
    assert_eq!(bench.vm(1).await.failed_reason.get().map(String::as_str), Some(""));
}

#[tokio::test(start_paused = true)]
async fn a_restart_ends_the_vm_once_and_starts_it_again() {
    let bench = Bench::new(1).await;
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    let before = bench.room.history(uuid(1)).len();
    bench.wish(1, VmState::Restart).await;
    bench.runs(1, "hv1").await;
    assert!(bench.room.history(uuid(1)).len() > before);
}

#[tokio::test(start_paused = true)]
async fn a_vm_migrates_and_its_home_is_remembered() {
    let bench = Bench::new(3).await;
    let migrates_in = Duration::from_secs(8);
    bench.room.script_all(Guest { migrates_in, ..Guest::default() });
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    bench.migrate(1, "hv3").await;
    bench.runs(1, "hv3").await;
    let vm = bench.vm(1).await;
    let home = vm.last_node.get().cloned().flatten().map(|node| node.to_string());
    assert_eq!(home.as_deref(), Some("hv1"));
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_cannot_move_live_is_shut_down_and_started_there() {
    let bench = Bench::new(2).await;
    let migration_end = MigrationEnd::Fails("unsupported CPU".to_owned());
    bench.room.script_all(Guest { migration_end, ..Guest::default() });
    bench.define(1, "hv1", VmState::Start).await;
    bench.runs(1, "hv1").await;
    bench.migrate(1, "hv2").await;
    bench.runs(1, "hv2").await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_vm_loses_no_wish() {
    let bench = Bench::new(2).await;
    let starts_in = Duration::from_secs(5);
    bench.room.script_all(Guest { starts_in, ..Guest::default() });
    bench.define(1, "hv1", VmState::Start).await;
    bench.pass(Duration::from_secs(2)).await;
    bench.wish(1, VmState::Stop).await;
    bench.rests(1, VmState::Stop).await;
}

#[tokio::test(start_paused = true)]
async fn a_hanging_libvirt_delays_its_vms_but_neither_the_keepalive_nor_the_others() {
    let bench = Bench::new(2).await;
    bench.room.hang("hv1");
    bench.define(1, "hv1", VmState::Start).await;
    bench.define(2, "hv2", VmState::Start).await;
    bench.runs(2, "hv2").await;
    let beat =
        |view: &pvc_common::view::View| view.nodes[&crate::bench::name("hv1")].keepalive.expected();
    let before = beat(&*bench.view().await);
    bench.pass(Duration::from_secs(30)).await;
    assert_ne!(beat(&*bench.view().await), before, "keepalives go on");
    bench.room.recover("hv1");
    bench.runs(1, "hv1").await;
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_waits_for_others_to_leave_obeys_another_wish_at_once() {
    let bench = Bench::new(2).await;
    let migrates_in = Duration::from_secs(300);
    bench.room.script_all(Guest { migrates_in, ..Guest::default() });
    for n in 0..6 {
        bench.define(n, "hv1", VmState::Start).await;
    }
    for n in 0..6 {
        bench.runs(n, "hv1").await;
        bench.migrate(n, "hv2").await;
    }
    bench.pass(Duration::from_secs(10)).await;
    let wished = tokio::time::Instant::now();
    for n in 4..6 {
        bench.wish(n, VmState::Stop).await;
    }
    for n in 4..6 {
        bench.rests(n, VmState::Stop).await;
    }
    assert!(wished.elapsed() < Duration::from_secs(5), "{:?}", wished.elapsed());
}

#[tokio::test(start_paused = true)]
async fn more_vms_than_may_leave_at_once_all_arrive() {
    let bench = Bench::new(2).await;
    let migrates_in = Duration::from_secs(30);
    bench.room.script_all(Guest { migrates_in, ..Guest::default() });
    for n in 0..10 {
        bench.define(n, "hv1", VmState::Start).await;
    }
    for n in 0..10 {
        bench.runs(n, "hv1").await;
        bench.migrate(n, "hv2").await;
    }
    let wished = tokio::time::Instant::now();
    for n in 0..10 {
        bench.runs(n, "hv2").await;
    }
    assert!(wished.elapsed() < Duration::from_secs(100), "{:?}", wished.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_many_vms_still_stops_one_when_told_to() {
    let bench = Bench::new(1).await;
    bench.define(0, "hv1", VmState::Start).await;
    bench.runs(0, "hv1").await;
    bench.room.script_all(Guest { starts_in: Duration::from_secs(50), ..Guest::default() });
    for n in 1..20 {
        bench.define(n, "hv1", VmState::Start).await;
    }
    bench.pass(Duration::from_secs(10)).await;
    let wished = tokio::time::Instant::now();
    bench.wish(0, VmState::Stop).await;
    bench.rests(0, VmState::Stop).await;
    assert!(wished.elapsed() < Duration::from_secs(5), "{:?}", wished.elapsed());
}
