//! What only the fake can show: faults, and the room's own watch over them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::observed::RunState;
use pvc_libvirt::fake::{FakeHypervisor, FakeRoom, Guest, OnShutdown, What, definition};
use pvc_libvirt::{Destination, Hypervisor, HypervisorError};

const LONG: Duration = Duration::from_secs(3600);

fn uuid(number: u32) -> VmUuid {
    format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

fn to(node: &str) -> Destination {
    Destination {
        peer_uri: format!("qemu+tcp://{node}.pvc.local/system"),
        migrate_uri: "tcp://10.0.0.2".to_owned(),
        max_downtime_ms: 300,
        limit: LONG,
        tls: false,
    }
}

/// A room with two nodes, and VM 1 on the first.
async fn room() -> (FakeRoom, FakeHypervisor, FakeHypervisor) {
    let room = FakeRoom::new();
    let (hv1, hv2) = (room.node("hv1"), room.node("hv2"));
    hv1.start(uuid(1), &definition("vm1", uuid(1))).await.unwrap();
    (room, hv1, hv2)
}

#[tokio::test(start_paused = true)]
async fn the_room_notices_a_vm_that_executes_twice() {
    let (room, _, hv2) = room().await;
    assert_eq!(room.ran_twice(), []);
    hv2.start(uuid(1), &definition("vm1", uuid(1))).await.unwrap();
    hv2.destroy(uuid(1)).await.unwrap();
    assert_eq!(room.ran_twice(), [uuid(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_power_cut_ends_vms_and_silences_libvirt() {
    let (room, hv1, _) = room().await;
    room.power_cut("hv1");
    assert_eq!(room.executing_on(uuid(1)), [] as [&str; 0]);
    let silent = hv1.vms().await;
    assert!(matches!(silent, Err(HypervisorError::Unreachable { .. })), "{silent:?}");
    room.recover("hv1");
    assert_eq!(hv1.vms().await, Ok(vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_vm_stays_when_its_target_loses_power() {
    let (room, hv1, _) = room().await;
    room.script_all(Guest { migrates_in: LONG, ..Guest::default() });
    let sent = tokio::spawn({
        let hv1 = hv1.clone();
        async move { hv1.migrate(uuid(1), &to("hv2")).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(room.run_state("hv2", uuid(1)), Some(RunState::Incoming));
    room.power_cut("hv2");
    assert!(sent.await.unwrap().is_err());
    assert_eq!(room.executing_on(uuid(1)), ["hv1"]);
    assert_eq!(hv1.migration(uuid(1)).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_vm_is_lost_when_its_source_loses_power() {
    let (room, hv1, hv2) = room().await;
    room.script_all(Guest { migrates_in: LONG, ..Guest::default() });
    let sent = tokio::spawn(async move { hv1.migrate(uuid(1), &to("hv2")).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    room.power_cut("hv1");
    assert!(sent.await.unwrap().is_err());
    assert_eq!(hv2.vms().await, Ok(vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_source_may_linger_but_does_not_execute() {
    let (room, hv1, _) = room().await;
    room.script_all(Guest { lingers: LONG, ..Guest::default() });
    let sent = tokio::spawn(async move { hv1.migrate(uuid(1), &to("hv2")).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(room.run_state("hv1", uuid(1)), Some(RunState::Outgone));
    assert_eq!(room.executing_on(uuid(1)), ["hv2"]);
    sent.await.unwrap().unwrap();
    assert_eq!(room.run_state("hv1", uuid(1)), None);
    assert_eq!(room.ran_twice(), []);
}

#[tokio::test(start_paused = true)]
async fn progress_grows_with_time() {
    let (room, hv1, _) = room().await;
    room.script_all(Guest { migrates_in: Duration::from_secs(4), ..Guest::default() });
    let sent = tokio::spawn({
        let hv1 = hv1.clone();
        async move { hv1.migrate(uuid(1), &to("hv2")).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    let progress = hv1.migration(uuid(1)).await.unwrap().unwrap();
    assert_eq!(progress.remaining_bytes * 4, progress.total_bytes);
    sent.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn guests_may_refuse_ignore_or_die() {
    let (room, hv1, _) = room().await;
    let stubborn = Guest { on_shutdown: OnShutdown::Ignores, ..Guest::default() };
    room.script(uuid(1), stubborn);
    hv1.shutdown(uuid(1)).await.unwrap();
    tokio::time::sleep(LONG).await;
    assert_eq!(room.executing_on(uuid(1)), ["hv1"]);
    room.end_vm(uuid(1));
    assert_eq!(hv1.vms().await, Ok(vec![]));
    let refusing = Guest { refuses_start: Some("no space".to_owned()), ..Guest::default() };
    room.script(uuid(1), refusing);
    let refused = hv1.start(uuid(1), &definition("vm1", uuid(1))).await;
    assert_eq!(refused, Err(HypervisorError::Refused { message: "no space".to_owned() }));
    let story: Vec<What> = room.history(uuid(1)).iter().map(|event| event.what).collect();
    assert_eq!(story, [What::Started, What::AskedToShutDown, What::Ended]);
}

#[tokio::test(start_paused = true)]
async fn a_vm_restarted_meanwhile_is_not_ended_by_an_old_request() {
    let (room, hv1, _) = room().await;
    let slow = OnShutdown::PowersOff { after: Duration::from_secs(10) };
    room.script(uuid(1), Guest { on_shutdown: slow, ..Guest::default() });
    hv1.shutdown(uuid(1)).await.unwrap();
    hv1.destroy(uuid(1)).await.unwrap();
    hv1.start(uuid(1), &definition("vm1", uuid(1))).await.unwrap();
    tokio::time::sleep(LONG).await;
    assert_eq!(room.executing_on(uuid(1)), ["hv1"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_to_a_libvirt_that_hangs_is_answered_when_it_recovers_in_time() {
    let (room, hv1, _) = room().await;
    room.hang("hv1");
    let called = tokio::spawn({
        let hv1 = hv1.clone();
        async move { hv1.vms().await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    room.recover("hv1");
    assert_eq!(called.await.unwrap().unwrap().len(), 1);
    room.hang("hv1");
    let silent = hv1.vms().await;
    assert!(matches!(silent, Err(HypervisorError::NoAnswer { .. })), "{silent:?}");
    assert_eq!(room.executing_on(uuid(1)), ["hv1"], "it goes on all the same");
}

#[tokio::test(start_paused = true)]
async fn a_node_carries_ten_thousand_vms() {
    let room = FakeRoom::new();
    let hv1 = room.node("hv1");
    for number in 0..10_000 {
        let uuid = uuid(number);
        hv1.start(uuid, &definition(&format!("vm{number}"), uuid)).await.unwrap();
    }
    assert_eq!(hv1.vms().await.unwrap().len(), 10_000);
    assert_eq!(hv1.stats().await.unwrap().len(), 10_000);
}
