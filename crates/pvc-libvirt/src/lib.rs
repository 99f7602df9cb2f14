//! The port to libvirt: [`Hypervisor`] is what the node daemon needs of it, [`Libvirt`] is the
//! real one, [`fake`] a machine room without machines.

pub mod fake;
mod hypervisor;
mod real;

pub use hypervisor::{
    Destination, DiskStats, Hypervisor, HypervisorError, NetStats, Progress, VmStats,
};
pub use real::{Libvirt, Limits};
