//! How long things may take.

use std::time::Duration;

/// How long calls may take before their caller is told that libvirt did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Looking and asking.
    pub call: Duration,
    /// Starting QEMU, or making sure that it has ended: libvirt itself waits 30 s for a
    /// process that does not die. Changing a device: libvirt waits 5 s for the guest to let go.
    pub slow: Duration,
    /// How many VMs leave at a time. Each occupies one of libvirtd's 20 workers meanwhile.
    pub departures: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { call: Duration::from_secs(10), slow: Duration::from_secs(60), departures: 8 }
    }
}
