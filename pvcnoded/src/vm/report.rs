//! What an activation reports.

use std::fmt;

/// What this node's VMs are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// VMs that have a QEMU process here; `None` while libvirt does not answer.
    pub here: Option<usize>,
    /// VMs that are being worked on.
    pub busy: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.here {
            Some(here) => write!(f, "{here} VMs here, {} being worked on", self.busy),
            None => write!(f, "libvirt does not answer, {} VMs being worked on", self.busy),
        }
    }
}
