//! The port to libvirt.

pub mod fake;
mod hypervisor;

pub use hypervisor::{
    Destination, DiskStats, Hypervisor, HypervisorError, NetStats, Progress, VmStats,
};
