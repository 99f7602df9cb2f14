//! The fake keeps the contract.

use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::unit::Mib;
use pvc_libvirt::Destination;
use pvc_libvirt::fake::{FakeHypervisor, FakeRoom, Guest, MigrationEnd, definition};

use crate::cases;
use crate::site::Site;

struct Room {
    room: FakeRoom,
    nodes: [FakeHypervisor; 2],
}

impl Room {
    fn new() -> Self {
        let room = FakeRoom::new();
        room.script_all(Guest { migrates_in: Duration::from_secs(1), ..Guest::default() });
        let nodes = [room.node("hv1"), room.node("hv2")];
        Self { room, nodes }
    }
}

impl Site for Room {
    type Port = FakeHypervisor;

    const MEMORY: Mib = Mib(64);

    fn port(&self, node: usize) -> &FakeHypervisor {
        &self.nodes[node]
    }

    fn destination(&self, node: usize, limit: Duration) -> Destination {
        Destination {
            peer_uri: format!("qemu+tcp://hv{}.pvc.local/system", node + 1),
            migrate_uri: "tcp://10.0.0.2".to_owned(),
            max_downtime_ms: 300,
            limit,
            tls: false,
        }
    }

    fn definition(&self, name: &str, uuid: VmUuid) -> String {
        definition(name, uuid)
    }

    fn disk(&self) -> String {
        "<disk type='network' device='disk'><source protocol='rbd' name='vms/a'/>\
         <target dev='vdb' bus='virtio'/></disk>"
            .to_owned()
    }

    async fn hold_migration(&self, _: usize, uuid: VmUuid) {
        let never = Guest { migration_end: MigrationEnd::Never, ..Guest::default() };
        self.room.script(uuid, never);
    }

    fn hang(&self, node: usize, hung: bool) {
        let name = format!("hv{}", node + 1);
        if hung { self.room.hang(&name) } else { self.room.recover(&name) }
    }
}

macro_rules! kept_by_the_fake {
    ($($case:ident),* $(,)?) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                let room = Room::new();
                cases::$case(&room).await;
                assert_eq!(room.room.ran_twice(), []);
            }
        )*
    };
}

kept_by_the_fake!(
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
