//! What the cases need of the place they are played at: two nodes.

use std::future::Future;
use std::time::{Duration, Instant};

use pvc_common::id::VmUuid;
use pvc_common::observed::RunState;
use pvc_common::unit::Mib;
use pvc_libvirt::{Destination, Hypervisor};

/// More than anything takes, even on a busy machine without hardware virtualization.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Two nodes that can send each other VMs.
pub(crate) trait Site {
    type Port: Hypervisor;

    /// The memory of its VMs.
    const MEMORY: Mib;

    /// The hypervisor of node 0 or 1.
    fn port(&self, node: usize) -> &Self::Port;

    /// How a VM gets to a node.
    fn destination(&self, node: usize, limit: Duration) -> Destination;

    /// The definition of a small VM that powers off when asked to.
    fn definition(&self, name: &str, uuid: VmUuid) -> String;

    /// A device: the disk `vdb`, of 1 MiB.
    fn disk(&self) -> String;

    /// Makes the migration of a VM that runs on a node take some seconds at least.
    fn hold_migration(&self, node: usize, uuid: VmUuid) -> impl Future<Output = ()>;

    /// Makes a node's libvirt stop answering, or answer again.
    fn hang(&self, node: usize, hung: bool);
}

/// What the QEMU of a VM does on a node; `None` if there is none.
pub(crate) async fn seen<S: Site>(site: &S, node: usize, uuid: VmUuid) -> Option<RunState> {
    let vms = site.port(node).vms().await.unwrap();
    vms.into_iter().find(|vm| vm.uuid == uuid).map(|vm| vm.run)
}

/// Waits for something that must come to be soon.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    // The real clock: a test under a paused one must end too.
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < SOON, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A VM's UUID, by number.
pub(crate) fn uuid(number: u32) -> VmUuid {
    format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
}
