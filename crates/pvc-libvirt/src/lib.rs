//! The port to libvirt.

mod hypervisor;

pub use hypervisor::{
    Destination, DiskStats, Hypervisor, HypervisorError, NetStats, Progress, VmStats,
};
