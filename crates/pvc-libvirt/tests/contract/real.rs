//! libvirt with real QEMU keeps the contract.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pvc_common::id::VmUuid;
use pvc_common::observed::RunState;
use pvc_common::unit::Mib;
use pvc_libvirt::{Destination, Hypervisor, HypervisorError, Libvirt, Limits};
use tempfile::TempDir;
use virt::connect::Connect;
use virt::domain::Domain;

use crate::cases;
use crate::guest::disk;
use crate::macvtap;
use crate::private_libvirtd::PrivateLibvirtd;
use crate::site::{SOON, Site, seen, until, uuid};

const LIMITS: Limits =
    Limits { call: Duration::from_secs(5), slow: Duration::from_secs(120), departures: 2 };

struct Hosts {
    // Ended before their folder is removed.
    libvirtds: [PrivateLibvirtd; 2],
    ports: [Libvirt; 2],
    folder: TempDir,
}

impl Hosts {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("guest.img"), disk()).unwrap();
        let libvirtds = [1, 2].map(|number| PrivateLibvirtd::start(folder.path(), number));
        let ports = [0, 1].map(|node: usize| Libvirt::new(&libvirtds[node].uri(), LIMITS).unwrap());
        Self { libvirtds, ports, folder }
    }
}

impl Site for Hosts {
    type Port = Libvirt;

    /// Most of it is never touched, and costs nothing but the nine bytes that say so for each
    /// page when it is sent: 2.3 MB, and as many seconds when held to a MiB a second.
    const MEMORY: Mib = Mib(1024);

    fn port(&self, node: usize) -> &Libvirt {
        &self.ports[node]
    }

    fn destination(&self, node: usize, limit: Duration) -> Destination {
        Destination {
            peer_uri: self.libvirtds[node].uri(),
            migrate_uri: "tcp://127.0.0.1".to_owned(),
            max_downtime_ms: 100,
            limit,
            tls: false,
        }
    }

    fn definition(&self, name: &str, uuid: VmUuid) -> String {
        let image = self.folder.path().join("guest.img");
        format!(
            "<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid>\
             <memory unit='MiB'>{}</memory><vcpu>1</vcpu>\
             <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>\
             <features><acpi/></features><devices>\
             <disk type='file' device='disk'><driver name='qemu' type='raw'/>\
             <source file='{}'/><target dev='vda' bus='virtio'/><readonly/></disk>\
             <controller type='usb' model='none'/><console type='pty'/>\
             </devices></domain>",
            Self::MEMORY,
            image.display()
        )
    }

    fn disk(&self) -> String {
        let image = self.folder.path().join("grows.img");
        fs::write(&image, vec![0; 1 << 20]).unwrap();
        format!(
            "<disk type='file' device='disk'><driver name='qemu' type='raw'/>\
             <source file='{}'/><target dev='vdb' bus='virtio'/></disk>",
            image.display()
        )
    }

    async fn hold_migration(&self, node: usize, uuid: VmUuid) {
        // From then on half a MiB of its memory is not empty.
        until("the guest has booted", || async {
            let stats = self.ports[node].stats().await.unwrap();
            let vm = stats.iter().find(|vm| vm.uuid == uuid);
            vm.is_some_and(|vm| vm.disks[0].rd_req > 0)
        })
        .await;
        let connect = Connect::open(Some(&self.libvirtds[node].uri())).unwrap();
        let vm = Domain::lookup_by_uuid_string(&connect, &uuid.to_string()).unwrap();
        vm.migrate_set_max_speed(1, 0).unwrap();
    }

    fn hang(&self, node: usize, hung: bool) {
        self.libvirtds[node].freeze(hung);
    }
}

/// Whether the real thing is to be left out; fails if it is wanted but cannot be.
fn left_out() -> bool {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some_and(|value| value == "1") {
        return true;
    }
    assert!(nix::unistd::geteuid().is_root(), "this test needs root, or PVC_TEST_NO_SERVICES=1");
    for (program, package) in [
        ("/usr/sbin/libvirtd", "libvirt-daemon-system"),
        (
            "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so",
            "libvirt-daemon-driver-qemu",
        ),
        ("/usr/bin/qemu-system-x86_64", "qemu-system-x86"),
    ] {
        assert!(
            Path::new(program).exists(),
            "{program} is missing: apt-get install {package}, or set PVC_TEST_NO_SERVICES=1"
        );
    }
    false
}

macro_rules! play {
    ($site:expr, $($case:ident),* $(,)?) => {
        let began = Instant::now();
        $(
            println!("{:>6} ms: {}", began.elapsed().as_millis(), stringify!($case));
            cases::$case($site).await;
        )*
    };
}

/// One test for all cases, for libvirt takes seconds to get to know QEMU.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn libvirt_keeps_the_contract() {
    if left_out() {
        return;
    }
    let hosts = Hosts::start();
    play!(
        &hosts,
        a_started_vm_runs_and_starting_it_again_changes_nothing,
        what_cannot_be_started_is_refused_with_a_reason,
        a_destroyed_vm_is_gone_at_once_and_for_good,
        a_guest_asked_to_shut_down_ends,
        what_is_not_here_is_said_not_to_be,
        starts_and_ends_are_told,
        a_running_vm_has_figures,
        a_vm_migrates_and_never_executes_twice,
        a_migration_given_up_leaves_the_vm_where_it_was,
        a_migration_that_takes_too_long_is_given_up,
        a_start_nobody_waits_for_happens_all_the_same,
        a_migration_nobody_waits_for_is_brought_to_an_end,
        a_target_that_is_not_there_is_refused,
        a_device_is_plugged_in_while_the_vm_runs,
        a_disk_grows_while_the_vm_runs,
        a_libvirt_that_hangs_is_told_apart_and_found_again,
    );
    println!("case: a VM has a device to itself and leaves it as it was");
    let show_taps = |numbers| hosts.libvirtds[0].show_taps(numbers);
    macvtap::a_vm_has_a_device_to_itself_and_leaves_it_as_it_was(&hosts, show_taps).await;
    println!("case: a VM outlives its libvirtd");
    a_vm_outlives_its_libvirtd(&hosts).await;
    println!("case: what nobody waits for any more is not done later");
    what_nobody_waits_for_any_more_is_not_done_later(&hosts).await;
    println!("case: departures wait for their turn");
    departures_wait_for_their_turn(&hosts).await;
}

async fn a_vm_outlives_its_libvirtd(hosts: &Hosts) {
    let (hv, uuid) = (hosts.port(0), uuid(101));
    hv.start(uuid, &hosts.definition("vm101", uuid)).await.unwrap();
    let mut events = hv.events();
    events.mark_unchanged();
    hosts.libvirtds[0].crash();
    tokio::time::timeout(SOON, events.changed()).await.unwrap().unwrap();
    until("libvirtd is back", || async { hv.vms().await.is_ok() }).await;
    assert_eq!(seen(hosts, 0, uuid).await, Some(RunState::Running));
    hv.destroy(uuid).await.unwrap();
}

/// A libvirt that hangs answers no new connection; what waited for one is over when it is back.
async fn what_nobody_waits_for_any_more_is_not_done_later(hosts: &Hosts) {
    let impatient = Limits { slow: Duration::from_secs(1), ..LIMITS };
    let late = Libvirt::new(&hosts.libvirtds[0].uri(), impatient).unwrap();
    hosts.hang(0, true);
    let started = late.start(uuid(105), &hosts.definition("vm105", uuid(105))).await;
    assert!(matches!(started, Err(HypervisorError::NoAnswer { .. })), "{started:?}");
    hosts.hang(0, false);
    let hv = hosts.port(0);
    until("libvirtd is back", || async { hv.vms().await.is_ok() }).await;
    hv.start(uuid(106), &hosts.definition("vm106", uuid(106))).await.unwrap();
    assert_eq!(seen(hosts, 0, uuid(105)).await, None);
    hv.destroy(uuid(106)).await.unwrap();
}

/// Two may leave at a time, so a third waits, and does not leave once it was given up.
async fn departures_wait_for_their_turn(hosts: &Hosts) {
    let hv = hosts.port(0);
    let to = hosts.destination(1, SOON);
    for number in 102..=104 {
        let uuid = uuid(number);
        hv.start(uuid, &hosts.definition(&format!("vm{number}"), uuid)).await.unwrap();
        hosts.hold_migration(0, uuid).await;
    }
    let leaving = [102, 103].map(|number| {
        let (hv, to) = (hv.clone(), to.clone());
        tokio::spawn(async move { hv.migrate(uuid(number), &to).await })
    });
    for number in [102, 103] {
        until("two are leaving", || async { hv.migration(uuid(number)).await.unwrap().is_some() })
            .await;
    }
    let third = {
        let (hv, to) = (hv.clone(), to.clone());
        tokio::spawn(async move { hv.migrate(uuid(104), &to).await })
    };
    until("the third is given up", || async {
        hv.abort_migration(uuid(104)).await.unwrap();
        third.is_finished()
    })
    .await;
    let third = third.await.unwrap();
    let why = "the migration was given up before it began".to_owned();
    assert_eq!(third, Err(HypervisorError::Refused { message: why }));
    for (number, sent) in [102, 103].into_iter().zip(leaving) {
        hv.abort_migration(uuid(number)).await.unwrap();
        assert!(sent.await.unwrap().is_err());
    }
    for number in 102..=104 {
        assert_eq!(seen(hosts, 0, uuid(number)).await, Some(RunState::Running));
        hv.destroy(uuid(number)).await.unwrap();
    }
}
