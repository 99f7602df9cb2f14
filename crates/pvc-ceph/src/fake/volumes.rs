//! Volumes in memory. They hold a size, and no data but what was written from files.

use pvc_common::id::{PoolName, SnapshotId, SnapshotName, VolumeId, VolumeName};
use pvc_common::model::Json;
use pvc_common::unit::Bytes;
use pvc_common::zk::Text;

use super::{Cluster, FakeCeph, FakeImage};
use crate::{CephError, Image, Volumes};

impl FakeImage {
    /// Who locks it for itself has it open.
    pub(super) fn unused(&self, volume: &VolumeId) -> Result<(), CephError> {
        let in_use = || CephError::InUse { what: volume.to_string() };
        let is_open = self.locks.iter().any(|lock| !lock.is_by_hand());
        if is_open { Err(in_use()) } else { Ok(()) }
    }

    fn shown(&self, volume: &VolumeId, size: Bytes) -> Image {
        let info = format!(
            r#"{{"name":"{}","id":"{}","size":{},"objects":{},"order":22,"snapshot_count":{}}}"#,
            volume.volume,
            self.id,
            size.0,
            size.0.div_ceil(4 << 20),
            self.snapshots.len()
        );
        let info = Json::decode(&info).expect("it was just written");
        Image { id: self.id.clone(), size, info }
    }

    fn snapshot(&self, snapshot: &SnapshotId) -> Result<Bytes, CephError> {
        let none = || CephError::NoSnapshot { snapshot: snapshot.clone() };
        self.snapshots.get(&snapshot.snapshot).copied().ok_or_else(none)
    }
}

impl Cluster {
    /// Puts an image where none is.
    fn put(&mut self, volume: &VolumeId, image: FakeImage) -> Result<(), CephError> {
        self.vacant(volume)?;
        self.images.insert(volume.clone(), image);
        Ok(())
    }

    fn vacant(&self, volume: &VolumeId) -> Result<(), CephError> {
        let exists = self.images.contains_key(volume);
        if exists { Err(CephError::Exists { what: volume.to_string() }) } else { Ok(()) }
    }

    fn has_pool(&self, pool: &PoolName) -> Result<(), CephError> {
        let exists = self.pools.contains_key(pool);
        if exists { Ok(()) } else { Err(CephError::NoPool { pool: pool.clone() }) }
    }
}

fn beside(volume: &VolumeId, name: &VolumeName) -> VolumeId {
    VolumeId { pool: volume.pool.clone(), volume: name.clone() }
}

impl Volumes for FakeCeph {
    async fn volume(&self, volume: &VolumeId) -> Result<Image, CephError> {
        self.ask("rbd info", |cluster| {
            let image = cluster.image(volume)?;
            Ok(image.shown(volume, image.size))
        })
        .await
    }

    async fn volumes(&self, pool: &PoolName) -> Result<Vec<VolumeName>, CephError> {
        self.ask("rbd ls", |cluster| {
            cluster.has_pool(pool)?;
            let here = cluster.images.keys().filter(|image| image.pool == *pool);
            Ok(here.map(|image| image.volume.clone()).collect())
        })
        .await
    }

    async fn create_volume(&self, volume: &VolumeId, size: Bytes) -> Result<(), CephError> {
        self.ask("rbd create", |cluster| {
            cluster.has_pool(&volume.pool)?;
            cluster.vacant(volume)?;
            cluster.make(volume, size);
            Ok(())
        })
        .await
    }

    async fn grow_volume(&self, volume: &VolumeId, size: Bytes) -> Result<(), CephError> {
        self.ask("rbd resize", |cluster| {
            let image = cluster.image(volume)?;
            if image.size > size {
                return Err(CephError::Shrinks { what: volume.to_string() });
            }
            image.size = size;
            Ok(())
        })
        .await
    }

    async fn rename_volume(&self, volume: &VolumeId, name: &VolumeName) -> Result<(), CephError> {
        self.ask("rbd rename", |cluster| {
            let to = beside(volume, name);
            let image = cluster.image(volume)?.clone();
            cluster.put(&to, image)?;
            cluster.images.remove(volume);
            Ok(())
        })
        .await
    }

    async fn copy_volume(&self, volume: &VolumeId, to: &VolumeName) -> Result<(), CephError> {
        self.ask("rbd cp", |cluster| {
            let size = cluster.image(volume)?.size;
            let to = beside(volume, to);
            cluster.vacant(&to)?;
            cluster.make(&to, size);
            Ok(())
        })
        .await
    }

    async fn remove_volume(&self, volume: &VolumeId) -> Result<(), CephError> {
        self.ask("rbd rm", |cluster| {
            if let Some(image) = cluster.images.get(volume) {
                image.unused(volume)?;
            }
            cluster.images.remove(volume);
            cluster.received.remove(volume);
            Ok(())
        })
        .await
    }

    async fn snapshot(&self, snapshot: &SnapshotId) -> Result<Image, CephError> {
        self.ask("rbd info", |cluster| {
            let image = cluster.image(&snapshot.of)?;
            Ok(image.shown(&snapshot.of, image.snapshot(snapshot)?))
        })
        .await
    }

    async fn snapshots(&self, volume: &VolumeId) -> Result<Vec<SnapshotName>, CephError> {
        self.ask("rbd snap ls", |cluster| {
            Ok(cluster.image(volume)?.snapshots.keys().cloned().collect())
        })
        .await
    }

    async fn create_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CephError> {
        self.ask("rbd snap create", |cluster| {
            let image = cluster.image(&snapshot.of)?;
            if image.snapshots.contains_key(&snapshot.snapshot) {
                return Err(CephError::Exists { what: snapshot.to_string() });
            }
            image.snapshots.insert(snapshot.snapshot.clone(), image.size);
            Ok(())
        })
        .await
    }

    async fn rename_snapshot(
        &self,
        snapshot: &SnapshotId,
        name: &SnapshotName,
    ) -> Result<(), CephError> {
        self.ask("rbd snap rename", |cluster| {
            let image = cluster.image(&snapshot.of)?;
            let size = image.snapshot(snapshot)?;
            let to = SnapshotId { of: snapshot.of.clone(), snapshot: name.clone() };
            if image.snapshots.contains_key(name) {
                return Err(CephError::Exists { what: to.to_string() });
            }
            image.snapshots.remove(&snapshot.snapshot);
            image.snapshots.insert(name.clone(), size);
            Ok(())
        })
        .await
    }

    async fn remove_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CephError> {
        self.ask("rbd snap rm", |cluster| {
            cluster.image(&snapshot.of)?.snapshots.remove(&snapshot.snapshot);
            Ok(())
        })
        .await
    }

    async fn roll_back(&self, snapshot: &SnapshotId) -> Result<(), CephError> {
        self.ask("rbd snap rollback", |cluster| {
            let image = cluster.image(&snapshot.of)?;
            let size = image.snapshot(snapshot)?;
            image.unused(&snapshot.of)?;
            image.size = size;
            Ok(())
        })
        .await
    }
}
