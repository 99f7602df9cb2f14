//! A real Ceph on the hosts, for labs that were brought up with `--storage`.
//!
//! Every coordinator has a monitor and a manager, every host an OSD that keeps its data in a sparse
//! file of the host's disk, so that what was acknowledged survives a power cut. They are Debian's
//! own units of the host they run on: they die with it, freeze with it and start when it boots.

mod files;
mod layer;
mod pvc;
mod start;

use super::host::Host;

pub(crate) use files::{SECRET, files};
pub(crate) use layer::{PACKAGES, make as make_layer, recipe};
pub(crate) use pvc::introduce;
pub(crate) use start::start;

/// The least number of hosts: as many copies as there are of everything.
pub(crate) const LEAST: u8 = 3;

/// The cluster's identity.
const FSID: &str = "886dfe49-bd8c-4500-9ae6-3b30f89b054e";

/// The number of a host's OSD.
fn osd(host: Host) -> u8 {
    host.id() - 1
}

/// The identity of a host's OSD.
fn osd_fsid(host: Host) -> String {
    format!("799ff854-e015-4a48-89d9-5611b308cb{:02x}", osd(host))
}
