//! What the cases about OSDs need: a cluster, and a machine with a disk of its own.

use pvc_ceph::{Disks, Osds, Statistics};
use pvc_common::id::{DevicePath, OsdId};

/// A storage cluster, and a machine that has one blank disk of 2 GiB, without LVM.
pub(crate) trait Rack {
    type Ceph: Osds + Statistics;
    type Disks: Disks;

    fn ceph(&self) -> &Self::Ceph;

    fn disks(&self) -> &Self::Disks;

    /// The disk.
    fn disk(&self) -> DevicePath;

    /// Starts the program of an OSD that was activated.
    async fn start(&self, osd: OsdId);

    /// Ends it.
    async fn stop(&self, osd: OsdId);
}
