//! What the node daemon needs of its hypervisor: a small trait with an honest fake.

use std::future::Future;
use std::time::Duration;

use pvc_common::id::{VmName, VmUuid};
use pvc_common::observed::ObservedVm;
use pvc_common::unit::Bytes;
use tokio::sync::watch;

/// Why the hypervisor did not do what was asked.
///
/// After [`HypervisorError::NoAnswer`] and [`HypervisorError::Unreachable`] nothing is known of
/// the VM: what was asked may have been done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HypervisorError {
    /// It did not answer in time.
    #[error("libvirt at {uri} did not answer within {} ms", waited.as_millis())]
    NoAnswer {
        /// Connection URI.
        uri: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It could not be reached, or the connection broke.
    #[error("libvirt at {uri} cannot be reached: {message}")]
    Unreachable {
        /// Connection URI.
        uri: String,
        /// What libvirt said.
        message: String,
    },
    /// It has no such VM (any more).
    #[error("libvirt has no VM {uuid}")]
    NoSuchVm {
        /// Which.
        uuid: VmUuid,
    },
    /// It refused; the message is libvirt's own.
    #[error("{message}")]
    Refused {
        /// What libvirt said.
        message: String,
    },
    /// The migration was not done within its limit, and was given up: the VM goes on here.
    #[error("the migration was given up after {} s", limit.as_secs())]
    MigrationTooLong {
        /// Its limit.
        limit: Duration,
    },
}

/// Where and how a VM is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Connection URI of the other libvirt, as this node's libvirt reaches it.
    pub peer_uri: String,
    /// URI on which the other QEMU listens: the migration network's address of the target.
    pub migrate_uri: String,
    /// Longest stop of the guest, in milliseconds.
    pub max_downtime_ms: u64,
    /// When the attempt is given up, counted from its turn: only some VMs leave at a time.
    pub limit: Duration,
    /// Whether QEMU encrypts the stream; needs certificates on both hosts.
    pub tls: bool,
}

/// How far a migration is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of memory and disk in all.
    pub total_bytes: u64,
    /// Bytes still to be sent.
    pub remaining_bytes: u64,
}

/// Traffic of one disk since the VM started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskStats {
    /// `pool/volume` or a file's path.
    pub name: String,
    /// Device name in the guest.
    pub dev: String,
    /// Read requests.
    pub rd_req: u64,
    /// Bytes read.
    pub rd_bytes: u64,
    /// Write requests.
    pub wr_req: u64,
    /// Bytes written.
    pub wr_bytes: u64,
    /// Errors; -1 where the hypervisor does not count them.
    pub err: i64,
    /// How large the guest sees it; `None` where the hypervisor does not tell.
    pub capacity: Option<Bytes>,
}

/// Traffic of one interface since the VM started, as the host sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetStats {
    /// Tap device.
    pub name: String,
    /// Bytes received by the guest.
    pub rd_bytes: u64,
    /// Packets received by the guest.
    pub rd_packets: u64,
    /// Receive errors.
    pub rd_errors: u64,
    /// Receive drops.
    pub rd_drops: u64,
    /// Bytes sent by the guest.
    pub wr_bytes: u64,
    /// Packets sent by the guest.
    pub wr_packets: u64,
    /// Send errors.
    pub wr_errors: u64,
    /// Send drops.
    pub wr_drops: u64,
}

/// Figures of one running VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmStats {
    /// Which VM.
    pub uuid: VmUuid,
    /// Its name in libvirt.
    pub name: VmName,
    /// Most memory it may have, in KiB.
    pub max_mem_kib: u64,
    /// Memory it has, in KiB.
    pub live_mem_kib: u64,
    /// Virtual processors.
    pub vcpus: u32,
    /// Processor time, in nanoseconds: total, user, system.
    pub cpu_time_ns: [u64; 3],
    /// Balloon statistics by libvirt's names (`actual`, `unused`, `rss`, ...), in KiB.
    pub memory: Vec<(String, u64)>,
    /// Disks.
    pub disks: Vec<DiskStats>,
    /// Interfaces.
    pub nets: Vec<NetStats>,
}

/// The hypervisor of this node.
///
/// Every call but [`Hypervisor::migrate`] ends within the limits the implementation was made
/// with; that one ends soon after its destination's limit, once its turn has come. All VMs are
/// transient: nothing is left of one that is gone. Cloning shares the connections.
pub trait Hypervisor: Clone + Send + Sync + 'static {
    /// The VMs that have a QEMU process here.
    fn vms(&self) -> impl Future<Output = Result<Vec<ObservedVm>, HypervisorError>> + Send;

    /// Counts up whenever something happened to some VM, and when the connection broke or came
    /// back. A broken connection is made anew by the next call.
    fn events(&self) -> watch::Receiver<u64>;

    /// Creates and starts a VM from its definition.
    ///
    /// A VM of this UUID that is already here is a success: starting is idempotent.
    fn start(
        &self,
        uuid: VmUuid,
        xml: &str,
    ) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Asks the guest to shut down (ACPI); returns once asked.
    fn shutdown(&self, uuid: VmUuid) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Ends the VM's QEMU process; returns once it is gone. A VM that is gone is a success.
    fn destroy(&self, uuid: VmUuid) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Sends a running VM to another node, live; returns once that has succeeded or failed.
    ///
    /// On success QEMU is gone here. On failure the VM goes on here, or its state is unknown:
    /// look again. If this process dies meanwhile, or the future is dropped, libvirt brings the
    /// migration to an end; one that had not begun never begins.
    fn migrate(
        &self,
        uuid: VmUuid,
        to: &Destination,
    ) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// How far the migration of a VM is; `None` when none is under way.
    fn migration(
        &self,
        uuid: VmUuid,
    ) -> impl Future<Output = Result<Option<Progress>, HypervisorError>> + Send;

    /// Gives up the migration of a VM, also one whose turn has not come; it goes on here. None
    /// under way is a success.
    fn abort_migration(
        &self,
        uuid: VmUuid,
    ) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Figures of the VMs that execute; paused ones are left out, for they do not answer.
    fn stats(&self) -> impl Future<Output = Result<Vec<VmStats>, HypervisorError>> + Send;

    /// The definition of a VM as it runs, with the devices libvirt assigned.
    fn live_xml(
        &self,
        uuid: VmUuid,
    ) -> impl Future<Output = Result<String, HypervisorError>> + Send;

    /// Plugs a device into a running VM.
    fn attach_device(
        &self,
        uuid: VmUuid,
        xml: &str,
    ) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Unplugs a device from a running VM. A guest that does not let go keeps it: success means
    /// that it was asked.
    fn detach_device(
        &self,
        uuid: VmUuid,
        xml: &str,
    ) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Has the guest of a running VM see that one of its disks, such as `vda`, is larger now. One
    /// that is as large already is a success.
    ///
    /// What the disk lies on becomes as large if it is not. Never call it with less than the disk
    /// has: what is beyond would be lost.
    fn grow_disk(
        &self,
        uuid: VmUuid,
        dev: &str,
        size: Bytes,
    ) -> impl Future<Output = Result<(), HypervisorError>> + Send;
}
