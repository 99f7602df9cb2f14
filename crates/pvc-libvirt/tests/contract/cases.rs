//! What every hypervisor must do, as seen by the node daemon.

use std::time::Duration;

use pvc_common::observed::RunState;
use pvc_common::unit::{Bytes, Vcpus};
use pvc_libvirt::{Hypervisor, HypervisorError};

use crate::site::{SOON, Site, seen, until, uuid};

pub(crate) async fn a_started_vm_runs_and_starting_it_again_changes_nothing<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(1));
    let xml = site.definition("vm1", uuid);
    hv.start(uuid, &xml).await.unwrap();
    hv.start(uuid, &xml).await.unwrap();
    let vms = hv.vms().await.unwrap();
    let [vm] = vms.iter().filter(|vm| vm.uuid == uuid).collect::<Vec<_>>()[..] else {
        panic!("{vms:?}");
    };
    assert_eq!((vm.name.as_str(), vm.run), ("vm1", RunState::Running));
    assert_eq!((vm.memory, vm.vcpus), (S::MEMORY, Vcpus(1)));
    assert!(hv.live_xml(uuid).await.unwrap().contains(&uuid.to_string()));
    hv.destroy(uuid).await.unwrap();
}

pub(crate) async fn what_cannot_be_started_is_refused_with_a_reason<S: Site>(site: &S) {
    let (hv, uuid, other) = (site.port(0), uuid(2), uuid(3));
    let xml = site.definition("vm2", uuid);
    for (bad, why) in [
        ("<domain", "XML error: not well-formed"),
        (xml.replace("vm2", "vm\u{0}2").as_str(), "XML error: character U+0000"),
        (site.definition("vm2", other).as_str(), "the definition is of VM"),
    ] {
        let error = hv.start(uuid, bad).await.unwrap_err();
        assert!(matches!(error, HypervisorError::Refused { .. }), "{error:?}");
        assert!(error.to_string().starts_with(why), "{error}");
    }
    assert_eq!(seen(site, 0, uuid).await, None);
}

pub(crate) async fn a_destroyed_vm_is_gone_at_once_and_for_good<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(4));
    hv.start(uuid, &site.definition("vm4", uuid)).await.unwrap();
    hv.destroy(uuid).await.unwrap();
    assert_eq!(seen(site, 0, uuid).await, None);
    hv.destroy(uuid).await.unwrap();
}

pub(crate) async fn a_guest_asked_to_shut_down_ends<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(5));
    hv.start(uuid, &site.definition("vm5", uuid)).await.unwrap();
    until("the guest has powered off", || async {
        // A guest that is still booting does not hear it: it is asked again.
        let asked = hv.shutdown(uuid).await;
        matches!(asked, Err(HypervisorError::NoSuchVm { .. }))
            || seen(site, 0, uuid).await.is_none()
    })
    .await;
}

pub(crate) async fn what_is_not_here_is_said_not_to_be<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(6));
    let missing = Err(HypervisorError::NoSuchVm { uuid });
    assert_eq!(hv.shutdown(uuid).await, missing);
    assert_eq!(hv.migrate(uuid, &site.destination(1, SOON)).await, missing);
    assert_eq!(hv.attach_device(uuid, "<disk/>").await, missing);
    assert_eq!(hv.detach_device(uuid, "<disk/>").await, missing);
    assert_eq!(hv.live_xml(uuid).await, Err(HypervisorError::NoSuchVm { uuid }));
    assert_eq!(hv.migration(uuid).await, Ok(None));
    assert_eq!(hv.abort_migration(uuid).await, Ok(()));
}

pub(crate) async fn starts_and_ends_are_told<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(7));
    hv.vms().await.unwrap();
    let mut events = hv.events();
    events.mark_unchanged();
    hv.start(uuid, &site.definition("vm7", uuid)).await.unwrap();
    tokio::time::timeout(SOON, events.changed()).await.unwrap().unwrap();
    let started = *events.borrow_and_update();
    hv.destroy(uuid).await.unwrap();
    until("the end is told", || async { *hv.events().borrow() > started }).await;
}

pub(crate) async fn a_running_vm_has_figures<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(8));
    hv.start(uuid, &site.definition("vm8", uuid)).await.unwrap();
    until("it has used a processor", || async {
        let stats = hv.stats().await.unwrap();
        stats.iter().any(|vm| vm.uuid == uuid && vm.cpu_time_ns[0] > 0)
    })
    .await;
    let stats = hv.stats().await.unwrap();
    let vm = stats.iter().find(|vm| vm.uuid == uuid).unwrap();
    assert_eq!((vm.name.as_str(), vm.vcpus), ("vm8", 1));
    let kib = S::MEMORY.0 * 1024;
    assert_eq!((vm.max_mem_kib, vm.live_mem_kib), (kib, kib));
    assert!(vm.memory.contains(&("actual".to_owned(), kib)), "{:?}", vm.memory);
    assert!(vm.memory.iter().any(|(name, kib)| name == "rss" && *kib > 0), "{:?}", vm.memory);
    hv.destroy(uuid).await.unwrap();
}

pub(crate) async fn a_vm_migrates_and_never_executes_twice<S: Site>(site: &S) {
    let (source, target, uuid) = (site.port(0), site.port(1), uuid(9));
    source.start(uuid, &site.definition("vm9", uuid)).await.unwrap();
    let to = site.destination(1, SOON);
    let mut incoming = false;
    let mut sent = std::pin::pin!(source.migrate(uuid, &to));
    loop {
        // The target first: once it executes, the source must have stopped for good.
        let there = seen(site, 1, uuid).await;
        let here = seen(site, 0, uuid).await;
        let executes = |run: Option<RunState>| run.is_some_and(RunState::may_execute);
        assert!(!(executes(there) && executes(here)), "{here:?} {there:?}");
        incoming |= there == Some(RunState::Incoming);
        tokio::select! {
            biased;
            sent = &mut sent => break sent.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    }
    assert!(incoming, "the target was never seen receiving");
    assert_eq!(seen(site, 0, uuid).await, None);
    assert_eq!(seen(site, 1, uuid).await, Some(RunState::Running));
    assert_eq!(source.migration(uuid).await, Ok(None));
    target.destroy(uuid).await.unwrap();
}

pub(crate) async fn a_migration_given_up_leaves_the_vm_where_it_was<S: Site>(site: &S) {
    let (source, uuid) = (site.port(0), uuid(10));
    source.start(uuid, &site.definition("vm10", uuid)).await.unwrap();
    site.hold_migration(0, uuid).await;
    let to = site.destination(1, SOON);
    let give_up = async {
        until("it is being sent", || async {
            source.migration(uuid).await.unwrap().is_some_and(|progress| progress.total_bytes > 0)
        })
        .await;
        let again = source.migrate(uuid, &to).await;
        assert!(matches!(again, Err(HypervisorError::Refused { .. })), "{again:?}");
        source.abort_migration(uuid).await.unwrap();
    };
    let (sent, ()) = tokio::join!(source.migrate(uuid, &to), give_up);
    assert!(matches!(sent, Err(HypervisorError::Refused { .. })), "{sent:?}");
    stays(site, uuid).await;
}

pub(crate) async fn a_migration_that_takes_too_long_is_given_up<S: Site>(site: &S) {
    let (source, uuid) = (site.port(0), uuid(11));
    source.start(uuid, &site.definition("vm11", uuid)).await.unwrap();
    site.hold_migration(0, uuid).await;
    let limit = Duration::from_secs(1);
    let sent = source.migrate(uuid, &site.destination(1, limit)).await;
    assert_eq!(sent, Err(HypervisorError::MigrationTooLong { limit }));
    stays(site, uuid).await;
}

pub(crate) async fn a_migration_nobody_waits_for_is_brought_to_an_end<S: Site>(site: &S) {
    let (source, uuid) = (site.port(0), uuid(12));
    source.start(uuid, &site.definition("vm12", uuid)).await.unwrap();
    let to = site.destination(1, SOON);
    {
        let mut sent = std::pin::pin!(source.migrate(uuid, &to));
        let begun =
            until("it is being sent", || async { source.migration(uuid).await.unwrap().is_some() });
        tokio::select! {
            biased;
            () = begun => {}
            sent = &mut sent => sent.unwrap(),
        }
    }
    until("it has arrived all the same", || async {
        seen(site, 1, uuid).await == Some(RunState::Running)
    })
    .await;
    until("it has left", || async { seen(site, 0, uuid).await.is_none() }).await;
    site.port(1).destroy(uuid).await.unwrap();
}

pub(crate) async fn a_start_nobody_waits_for_happens_all_the_same<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(15));
    let xml = site.definition("vm15", uuid);
    {
        let mut started = std::pin::pin!(hv.start(uuid, &xml));
        // Long enough to be asked for, not to be done.
        let asked = tokio::time::sleep(Duration::from_millis(200));
        tokio::select! {
            biased;
            done = &mut started => done.unwrap(),
            () = asked => {}
        }
    }
    until("it runs", || async { seen(site, 0, uuid).await == Some(RunState::Running) }).await;
    hv.destroy(uuid).await.unwrap();
}

pub(crate) async fn a_target_that_is_not_there_is_refused<S: Site>(site: &S) {
    let (source, uuid) = (site.port(0), uuid(13));
    source.start(uuid, &site.definition("vm13", uuid)).await.unwrap();
    let mut to = site.destination(1, SOON);
    to.peer_uri = "qemu+tcp://nowhere.invalid/system".to_owned();
    let sent = source.migrate(uuid, &to).await;
    assert!(matches!(sent, Err(HypervisorError::Refused { .. })), "{sent:?}");
    stays(site, uuid).await;
}

pub(crate) async fn a_device_is_plugged_in_while_the_vm_runs<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(14));
    hv.start(uuid, &site.definition("vm14", uuid)).await.unwrap();
    let nic = "<interface type='user'><mac address='52:54:00:00:00:14'/>\
               <model type='virtio'/></interface>";
    hv.attach_device(uuid, nic).await.unwrap();
    assert!(hv.live_xml(uuid).await.unwrap().contains("52:54:00:00:00:14"));
    let broken = hv.attach_device(uuid, "<interface").await;
    assert!(matches!(broken, Err(HypervisorError::Refused { .. })), "{broken:?}");
    // Whether the guest lets go of it is the guest's affair.
    hv.detach_device(uuid, nic).await.unwrap();
    hv.destroy(uuid).await.unwrap();
}

pub(crate) async fn a_disk_grows_while_the_vm_runs<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(0), uuid(16));
    hv.start(uuid, &site.definition("vm16", uuid)).await.unwrap();
    hv.attach_device(uuid, &site.disk()).await.unwrap();
    let capacity = || async {
        let stats = hv.stats().await.unwrap();
        let vm = stats.into_iter().find(|vm| vm.uuid == uuid)?;
        vm.disks.into_iter().find(|disk| disk.dev == "vdb")?.capacity
    };
    until("its size is told", || async { capacity().await == Some(Bytes(1 << 20)) }).await;
    for _ in 0..2 {
        hv.grow_disk(uuid, "vdb", Bytes(3 << 20)).await.unwrap();
        until("it has grown", || async { capacity().await == Some(Bytes(3 << 20)) }).await;
    }
    let other = hv.grow_disk(uuid, "vdz", Bytes(3 << 20)).await;
    assert!(matches!(other, Err(HypervisorError::Refused { .. })), "{other:?}");
    hv.destroy(uuid).await.unwrap();
    let gone = hv.grow_disk(uuid, "vdb", Bytes(4 << 20)).await;
    assert_eq!(gone, Err(HypervisorError::NoSuchVm { uuid }));
}

pub(crate) async fn a_libvirt_that_hangs_is_told_apart_and_found_again<S: Site>(site: &S) {
    let (hv, uuid) = (site.port(1), uuid(15));
    hv.start(uuid, &site.definition("vm15", uuid)).await.unwrap();
    site.hang(1, true);
    let silent = hv.vms().await;
    assert!(
        matches!(
            silent,
            Err(HypervisorError::NoAnswer { .. } | HypervisorError::Unreachable { .. })
        ),
        "{silent:?}"
    );
    site.hang(1, false);
    until("it answers again", || async { hv.vms().await.is_ok() }).await;
    assert_eq!(seen(site, 1, uuid).await, Some(RunState::Running));
    hv.destroy(uuid).await.unwrap();
}

/// The VM goes on where it was, and nothing of it is left at the target.
async fn stays<S: Site>(site: &S, uuid: pvc_common::id::VmUuid) {
    assert_eq!(seen(site, 0, uuid).await, Some(RunState::Running));
    until("the target has forgotten it", || async { seen(site, 1, uuid).await.is_none() }).await;
    assert_eq!(site.port(0).migration(uuid).await, Ok(None));
    site.port(0).destroy(uuid).await.unwrap();
}
