//! Volumes and their snapshots.

use std::time::Duration;

use pvc_common::id::{PoolName, SnapshotId, SnapshotName, VolumeId, VolumeName};
use pvc_common::unit::Bytes;

use super::{CephCli, unreadable};
use crate::{Ceph, CephError, Image, Volumes, parse};

/// A storage cluster copies at least so much in a second, or something is wrong with it.
pub(super) const COPIES: u64 = 10 << 20;

/// It removes far more in that time: one object of 4 MiB after the other.
const REMOVES: u64 = 400 << 20;

impl CephCli {
    /// How long a command may take that goes through so much data.
    pub(super) fn limit_for(&self, size: Bytes, per_second: u64) -> Duration {
        self.limit + Duration::from_secs(30 + size.0 / per_second)
    }

    /// Whether any program has the volume open.
    pub(super) async fn is_open(&self, volume: &VolumeId) -> Result<bool, CephError> {
        let status = self.rbd(volume, &["status", &volume.to_string(), "--format", "json"]).await?;
        let watchers = parse::watchers(&status.stdout).ok_or_else(|| unreadable("rbd status"))?;
        Ok(watchers > 0)
    }

    /// Takes the locks that people have left on a volume that nobody has open: `rbd rm` would wait for
    /// them for ever. Those of dead clients it breaks itself.
    async fn take_locks_by_hand(&self, volume: &VolumeId) -> Result<(), CephError> {
        for lock in self.locks(volume).await?.iter().filter(|lock| lock.is_by_hand()) {
            self.remove_lock(volume, lock).await?;
        }
        Ok(())
    }

    /// Removes what was being made for a volume.
    pub(super) async fn remove_unfinished(&self, volume: &VolumeId) -> Result<(), CephError> {
        let spec = format!("{}/{UNFINISHED}{}", volume.pool, volume.volume);
        let size = match self.info(&spec, volume.into()).await {
            Ok(image) => image.size,
            Err(CephError::NoImage { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let remove = ["rm", "--no-progress", &spec];
        match self.rbd_within(self.limit_for(size, REMOVES), volume, &remove).await {
            Err(CephError::NoImage { .. }) => Ok(()),
            done => done.map(drop),
        }
    }

    async fn info(&self, spec: &str, of: super::Subject<'_>) -> Result<Image, CephError> {
        let info = self.rbd(of, &["info", spec, "--format", "json"]).await?;
        parse::image(&info.stdout).ok_or_else(|| unreadable("rbd info"))
    }
}

impl Volumes for CephCli {
    async fn volume(&self, volume: &VolumeId) -> Result<Image, CephError> {
        self.info(&volume.to_string(), volume.into()).await
    }

    async fn volumes(&self, pool: &PoolName) -> Result<Vec<VolumeName>, CephError> {
        let listed = self.rbd(pool, &["ls", pool.as_str(), "--format", "json"]).await?;
        let mut names: Vec<VolumeName> =
            parse::names(&listed.stdout).ok_or_else(|| unreadable("rbd ls"))?;
        names.retain(|name| !name.as_str().starts_with(UNFINISHED));
        Ok(names)
    }

    async fn create_volume(&self, volume: &VolumeId, size: Bytes) -> Result<(), CephError> {
        let (spec, size) = (volume.to_string(), format!("{}B", size.0));
        match self.rbd(volume, &["create", "--size", &size, &spec]).await {
            Err(CephError::NoImage { .. }) => Err(CephError::NoPool { pool: volume.pool.clone() }),
            done => done.map(drop),
        }
    }

    async fn grow_volume(&self, volume: &VolumeId, size: Bytes) -> Result<(), CephError> {
        let (spec, size) = (volume.to_string(), format!("{}B", size.0));
        let resize = ["resize", "--no-progress", "--size", &size, &spec];
        match self.rbd(volume, &resize).await {
            Err(CephError::Refused { why, .. }) if why.contains("equal to original size") => Ok(()),
            done => done.map(drop),
        }
    }

    async fn rename_volume(&self, volume: &VolumeId, name: &VolumeName) -> Result<(), CephError> {
        let to = VolumeId { pool: volume.pool.clone(), volume: name.clone() };
        match self.rbd(volume, &["rename", &volume.to_string(), &to.to_string()]).await {
            Err(CephError::Exists { .. }) => Err(CephError::Exists { what: to.to_string() }),
            done => done.map(drop),
        }
    }

    async fn copy_volume(&self, volume: &VolumeId, to: &VolumeName) -> Result<(), CephError> {
        let target = VolumeId { pool: volume.pool.clone(), volume: to.clone() };
        let size = self.volume(volume).await?.size;
        match self.volume(&target).await {
            Err(CephError::NoImage { .. }) => {}
            Ok(_) => return Err(CephError::Exists { what: target.to_string() }),
            Err(error) => return Err(error),
        }
        self.remove_unfinished(&target).await?;
        let unfinished = format!("{}/{UNFINISHED}{to}", volume.pool);
        let copy = ["cp", "--no-progress", &volume.to_string(), &unfinished];
        self.rbd_within(self.limit_for(size, COPIES), volume, &copy).await?;
        self.rbd(&target, &["rename", &unfinished, &target.to_string()]).await.map(drop)
    }

    async fn remove_volume(&self, volume: &VolumeId) -> Result<(), CephError> {
        let size = match self.volume(volume).await {
            Ok(image) => image.size,
            Err(CephError::NoImage { .. }) => return self.remove_unfinished(volume).await,
            Err(error) => return Err(error),
        };
        // Or its snapshots would be gone before it is known that it stays.
        if self.is_open(volume).await? {
            return Err(CephError::InUse { what: volume.to_string() });
        }
        self.take_locks_by_hand(volume).await?;
        self.remove_unfinished(volume).await?;
        let (limit, spec) = (self.limit_for(size, REMOVES), volume.to_string());
        self.rbd_within(limit, volume, &["snap", "purge", "--no-progress", &spec]).await?;
        match self.rbd_within(limit, volume, &["rm", "--no-progress", &spec]).await {
            Err(CephError::NoImage { .. }) => Ok(()),
            done => done.map(drop),
        }
    }

    async fn snapshot(&self, snapshot: &SnapshotId) -> Result<Image, CephError> {
        self.info(&snapshot.to_string(), snapshot.into()).await
    }

    async fn snapshots(&self, volume: &VolumeId) -> Result<Vec<SnapshotName>, CephError> {
        let spec = volume.to_string();
        let listed = self.rbd(volume, &["snap", "ls", &spec, "--format", "json"]).await?;
        parse::snapshot_names(&listed.stdout).ok_or_else(|| unreadable("rbd snap ls"))
    }

    async fn create_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CephError> {
        let create = ["snap", "create", "--no-progress", &snapshot.to_string()];
        self.rbd(snapshot, &create).await.map(drop)
    }

    async fn rename_snapshot(
        &self,
        snapshot: &SnapshotId,
        name: &SnapshotName,
    ) -> Result<(), CephError> {
        let to = SnapshotId { of: snapshot.of.clone(), snapshot: name.clone() };
        let rename = ["snap", "rename", &snapshot.to_string(), &to.to_string()];
        match self.rbd(snapshot, &rename).await {
            Err(CephError::Exists { .. }) => Err(CephError::Exists { what: to.to_string() }),
            done => done.map(drop),
        }
    }

    async fn remove_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CephError> {
        let remove = ["snap", "rm", "--no-progress", &snapshot.to_string()];
        match self.rbd(snapshot, &remove).await {
            Err(CephError::NoSnapshot { .. }) => Ok(()),
            done => done.map(drop),
        }
    }

    async fn roll_back(&self, snapshot: &SnapshotId) -> Result<(), CephError> {
        let size = self.snapshot(snapshot).await?.size;
        if self.is_open(&snapshot.of).await? {
            return Err(CephError::InUse { what: snapshot.of.to_string() });
        }
        let roll_back = ["snap", "rollback", "--no-progress", &snapshot.to_string()];
        self.rbd_within(self.limit_for(size, COPIES), snapshot, &roll_back).await.map(drop)
    }
}

/// What the name of an image begins with that is made for a volume, until it is whole.
pub(super) const UNFINISHED: &str = ".unfinished-";
