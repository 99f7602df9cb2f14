//! Ceph behind a pointer, so that handlers need not be generic over it.

use std::future::Future;
use std::pin::Pin;

use pvc_ceph::{CephError, Image, ImageFormat, NewPool, Osds, Pools, Received, Uploads, Volumes};
use pvc_common::id::{OsdId, PoolName, SnapshotId, SnapshotName, VolumeId, VolumeName};
use pvc_common::state::OsdFlag;
use pvc_common::unit::Bytes;
use tokio::io::AsyncRead;

/// What a file is read from.
pub(super) type File<'a> = &'a mut (dyn AsyncRead + Send + Unpin);

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, CephError>> + Send + 'a>>;

/// Something that Ceph shall do. Each may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    CreatePool(NewPool),
    SetPgs(PoolName, u32),
    RemovePool(PoolName),
    CreateVolume(VolumeId, Bytes),
    GrowVolume(VolumeId, Bytes),
    RenameVolume(VolumeId, VolumeName),
    CopyVolume(VolumeId, VolumeName),
    RemoveVolume(VolumeId),
    CreateSnapshot(SnapshotId),
    RenameSnapshot(SnapshotId, SnapshotName),
    RemoveSnapshot(SnapshotId),
    RollBack(SnapshotId),
    /// To write what was received into its volume.
    Fill(VolumeId, ImageFormat),
    /// To remove what was received.
    Discard(VolumeId),
    /// To set a flag of the whole cluster, or to take it away.
    SetFlag(OsdFlag, bool),
    /// To keep data on an OSD, or to move it away.
    SetIn(OsdId, bool),
}

/// What requests need of Ceph.
pub(super) trait Door: Send + Sync {
    fn act<'a>(&'a self, act: &'a Act) -> Answer<'a, ()>;
    fn pools(&self) -> Answer<'_, Vec<PoolName>>;
    fn volume<'a>(&'a self, volume: &'a VolumeId) -> Answer<'a, Image>;
    fn snapshot<'a>(&'a self, snapshot: &'a SnapshotId) -> Answer<'a, Image>;
    fn receive<'a>(&'a self, volume: &'a VolumeId, file: File<'a>) -> Answer<'a, ()>;
    fn received<'a>(&'a self, volume: &'a VolumeId, format: ImageFormat) -> Answer<'a, Received>;
}

impl<C: Osds + Pools + Uploads + Volumes> Door for C {
    fn act<'a>(&'a self, act: &'a Act) -> Answer<'a, ()> {
        match act {
            Act::CreatePool(pool) => Box::pin(self.create_pool(pool)),
            Act::SetPgs(pool, pgs) => Box::pin(self.set_pgs(pool, *pgs)),
            Act::RemovePool(pool) => Box::pin(self.remove_pool(pool)),
            Act::CreateVolume(volume, size) => Box::pin(self.create_volume(volume, *size)),
            Act::GrowVolume(volume, size) => Box::pin(self.grow_volume(volume, *size)),
            Act::RenameVolume(volume, name) => Box::pin(self.rename_volume(volume, name)),
            Act::CopyVolume(volume, name) => Box::pin(self.copy_volume(volume, name)),
            Act::RemoveVolume(volume) => Box::pin(self.remove_volume(volume)),
            Act::CreateSnapshot(snapshot) => Box::pin(self.create_snapshot(snapshot)),
            Act::RenameSnapshot(snapshot, name) => Box::pin(self.rename_snapshot(snapshot, name)),
            Act::RemoveSnapshot(snapshot) => Box::pin(self.remove_snapshot(snapshot)),
            Act::RollBack(snapshot) => Box::pin(self.roll_back(snapshot)),
            Act::Fill(volume, format) => Box::pin(self.fill(volume, *format)),
            Act::Discard(volume) => Box::pin(self.discard(volume)),
            Act::SetFlag(flag, wanted) => Box::pin(self.set_flag(*flag, *wanted)),
            Act::SetIn(osd, wanted) => Box::pin(self.set_in(*osd, *wanted)),
        }
    }

    fn pools(&self) -> Answer<'_, Vec<PoolName>> {
        Box::pin(Pools::pools(self))
    }

    fn volume<'a>(&'a self, volume: &'a VolumeId) -> Answer<'a, Image> {
        Box::pin(Volumes::volume(self, volume))
    }

    fn snapshot<'a>(&'a self, snapshot: &'a SnapshotId) -> Answer<'a, Image> {
        Box::pin(Volumes::snapshot(self, snapshot))
    }

    fn receive<'a>(&'a self, volume: &'a VolumeId, file: File<'a>) -> Answer<'a, ()> {
        Box::pin(Uploads::receive(self, volume, file))
    }

    fn received<'a>(&'a self, volume: &'a VolumeId, format: ImageFormat) -> Answer<'a, Received> {
        Box::pin(Uploads::received(self, volume, format))
    }
}
