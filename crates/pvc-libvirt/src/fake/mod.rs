//! A machine room without machines: hypervisors that behave like libvirt, in memory.
//!
//! For tests, and for running the daemons at a scale no machine at hand could carry. A
//! [`FakeRoom`] is shared by its nodes, so a VM can really move from one to another, and the
//! room sees what no single node does: whether any VM ever executed in two places.
//!
//! Time is tokio's, so under a paused clock everything is quick and the same each time.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use pvc_libvirt::fake::{FakeRoom, definition};
//! use pvc_libvirt::Hypervisor;
//!
//! let room = FakeRoom::new();
//! let hv1 = room.node("hv1");
//! let uuid = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".parse().unwrap();
//! hv1.start(uuid, &definition("web1", uuid)).await.unwrap();
//! assert_eq!(room.executing_on(uuid), ["hv1"]);
//! # }
//! ```

mod hypervisor;
mod migration;
mod room;
mod script;
mod state;
mod stats;

use pvc_common::id::VmUuid;

pub use hypervisor::FakeHypervisor;
pub use room::FakeRoom;
pub use script::{Guest, MigrationEnd, OnShutdown};
pub use state::{Happened, What};

/// A definition that the fake starts, and that a real libvirt would too.
#[must_use]
pub fn definition(name: &str, uuid: VmUuid) -> String {
    format!(
        "<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid>\
         <memory unit='MiB'>64</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64' machine='pc'>hvm</type></os>\
         <devices><console type='pty'/></devices></domain>"
    )
}
