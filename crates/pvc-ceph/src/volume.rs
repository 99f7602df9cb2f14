//! Volumes and their snapshots.

use std::future::Future;

use pvc_common::id::{PoolName, SnapshotId, SnapshotName, VolumeId, VolumeName};
use pvc_common::model::Json;
use pvc_common::unit::Bytes;

use crate::CephError;

/// What Ceph says of a volume or a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its identity, which it keeps when it is renamed.
    pub id: String,
    /// Its size.
    pub size: Bytes,
    /// All that `rbd info` tells.
    pub info: Json,
}

/// The volumes of a Ceph cluster. Every command ends within its deadline. A call that copies or
/// removes data takes as long as that takes, but not for ever.
///
/// Unless it says otherwise a call fails with [`CephError::NoImage`] if there is no such volume,
/// and with [`CephError::NoSnapshot`] if there is no such snapshot.
pub trait Volumes: Clone + Send + Sync + 'static {
    /// What there is to know of a volume.
    ///
    /// # Errors
    /// [`CephError`].
    fn volume(&self, volume: &VolumeId) -> impl Future<Output = Result<Image, CephError>> + Send;

    /// The names of all volumes of a pool.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::NoPool`] if there is no such pool.
    fn volumes(
        &self,
        pool: &PoolName,
    ) -> impl Future<Output = Result<Vec<VolumeName>, CephError>> + Send;

    /// Makes an empty volume.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::Exists`] if there is one of that name, [`CephError::NoPool`] if
    /// there is no such pool.
    fn create_volume(
        &self,
        volume: &VolumeId,
        size: Bytes,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Makes a volume larger, also under a VM that runs.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::Shrinks`] if it is larger already.
    fn grow_volume(
        &self,
        volume: &VolumeId,
        size: Bytes,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Renames a volume in its pool, with its snapshots.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::Exists`] if there is one of the new name.
    fn rename_volume(
        &self,
        volume: &VolumeId,
        name: &VolumeName,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Copies the data of a volume to a new one. What a copy that failed leaves is removed when it
    /// is repeated, and bears another name until it is whole.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::Exists`] if there is one of the new name.
    fn copy_volume(
        &self,
        volume: &VolumeId,
        to: &VolumeName,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Removes a volume with its snapshots, what was received for it, and the locks that people left on
    /// it. One that is not there is none.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::InUse`] if a program has it open, or a snapshot is protected: its
    /// other snapshots may be gone then.
    fn remove_volume(
        &self,
        volume: &VolumeId,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// What there is to know of a snapshot.
    ///
    /// # Errors
    /// [`CephError`].
    fn snapshot(
        &self,
        snapshot: &SnapshotId,
    ) -> impl Future<Output = Result<Image, CephError>> + Send;

    /// The names of all snapshots of a volume.
    ///
    /// # Errors
    /// [`CephError`].
    fn snapshots(
        &self,
        volume: &VolumeId,
    ) -> impl Future<Output = Result<Vec<SnapshotName>, CephError>> + Send;

    /// Takes a snapshot of a volume.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::Exists`] if there is one of that name.
    fn create_snapshot(
        &self,
        snapshot: &SnapshotId,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Renames a snapshot.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::Exists`] if there is one of the new name.
    fn rename_snapshot(
        &self,
        snapshot: &SnapshotId,
        name: &SnapshotName,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Removes a snapshot. One that is not there is none.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::InUse`] if it is protected.
    fn remove_snapshot(
        &self,
        snapshot: &SnapshotId,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Puts the data of a volume back to what it was at a snapshot.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::InUse`] if a program has it open.
    fn roll_back(
        &self,
        snapshot: &SnapshotId,
    ) -> impl Future<Output = Result<(), CephError>> + Send;
}
