//! OSDs are made, made ready and unmade.

use pvc_common::id::{DevicePath, Disk, LvName};
use pvc_common::observed::{BlockDevice, FoundOsd, NewOsds, VolumeGroup};
use pvc_common::state::{Tier, Word};
use pvc_common::unit::Bytes;

use super::{DisksCli, Layout};
use crate::{DiskError, Disks};

impl DisksCli {
    async fn prepare_volumes(&self, osds: &NewOsds) -> Result<(), DiskError> {
        let count = osds.count.to_string();
        let mut words = vec!["lvm", "batch", "--yes", "--prepare", "--bluestore"];
        if osds.count > 1 {
            words.extend(["--osds-per-device", &count]);
        }
        if osds.class != Tier::Default {
            words.extend(["--crush-device-class", osds.class.text()]);
        }
        // Before the other words, for these take all that follow.
        words.push(osds.device.as_str());
        let ids: Vec<String> = osds.ids.iter().map(ToString::to_string).collect();
        if !ids.is_empty() {
            words.push("--osd-ids");
            words.extend(ids.iter().map(String::as_str));
        }
        self.act("ceph-volume", &words).await
    }

    async fn prepare_disk(&self, osds: &NewOsds) -> Result<(), DiskError> {
        if osds.count > 1 {
            self.with_lvm("more than one OSD on a disk")?;
        }
        let id = osds.ids.first().map(ToString::to_string);
        let mut words = vec!["raw", "prepare", "--bluestore", "--data", osds.device.as_str()];
        if osds.class != Tier::Default {
            words.extend(["--crush-device-class", osds.class.text()]);
        }
        if let Some(id) = &id {
            words.extend(["--osd-id", id]);
        }
        self.act("ceph-volume", &words).await
    }

    /// Takes away the folder, in memory, by which an OSD's program knows it, with its key: it would lie
    /// under that of the next one with its number.
    async fn drop_folder(&self, osd: &FoundOsd) -> Result<(), DiskError> {
        let folder = format!("/var/lib/ceph/osd/ceph-{}", osd.id);
        let block = self.ask("readlink", &["--canonicalize", &format!("{folder}/block")]).await?;
        if block.as_deref().map(str::trim) == Some(osd.device.as_str()) {
            self.ask("umount", &[&folder]).await?;
        }
        Ok(())
    }

    /// Destroys what is on a disk without LVM. `ceph-volume` says that it did, but leaves kinds of
    /// devices alone that it does not know.
    async fn clear(&self, device: &DevicePath) -> Result<(), DiskError> {
        for osd in self.osds_on_disks().await?.iter().filter(|osd| osd.device == *device) {
            self.drop_folder(osd).await?;
        }
        self.act("wipefs", &["--all", device.as_str()]).await?;
        // As much as `ceph-volume` overwrites.
        let target = format!("of={device}");
        let words = ["if=/dev/zero", &target, "bs=1M", "count=10", "conv=fsync,notrunc"];
        self.act("dd", &words).await
    }
}

impl Disks for DisksCli {
    fn lvm(&self) -> bool {
        self.layout == Layout::Lvm
    }

    async fn find(&self, disk: &Disk) -> Result<DevicePath, DiskError> {
        self.path_of(disk).await
    }

    async fn device(&self, device: &DevicePath) -> Result<Option<BlockDevice>, DiskError> {
        self.block_device(device).await
    }

    async fn osds(&self) -> Result<Vec<FoundOsd>, DiskError> {
        match self.layout {
            Layout::Lvm => self.osds_on_volumes().await,
            Layout::Raw => self.osds_on_disks().await,
        }
    }

    async fn volume_group(&self, name: &str) -> Result<Option<VolumeGroup>, DiskError> {
        self.group(name).await
    }

    async fn prepare(&self, osds: &NewOsds) -> Result<(), DiskError> {
        match self.layout {
            Layout::Lvm => self.prepare_volumes(osds).await,
            Layout::Raw => self.prepare_disk(osds).await,
        }
    }

    async fn activate(&self, osd: &FoundOsd) -> Result<(), DiskError> {
        match self.layout {
            Layout::Lvm => {
                let (id, fsid) = (osd.id.to_string(), osd.fsid.to_string());
                self.act("ceph-volume", &["lvm", "activate", "--bluestore", &id, &fsid]).await
            }
            Layout::Raw => {
                let device = osd.device.as_str();
                let words = ["raw", "activate", "--no-systemd", "--device", device];
                self.act("ceph-volume", &words).await
            }
        }
    }

    async fn add_db(&self, osd: &FoundOsd, db: &LvName, size: Bytes) -> Result<(), DiskError> {
        self.move_db(osd, db, size).await
    }

    async fn zap(&self, device: &DevicePath) -> Result<(), DiskError> {
        match self.layout {
            Layout::Lvm => {
                self.act("ceph-volume", &["lvm", "zap", "--destroy", device.as_str()]).await
            }
            Layout::Raw => self.clear(device).await,
        }
    }

    async fn remove_volume(&self, volume: &LvName) -> Result<(), DiskError> {
        self.drop_volume(volume).await
    }

    async fn partition(&self, device: &DevicePath) -> Result<(), DiskError> {
        self.partition_for_lvm(device).await
    }

    async fn create_group(&self, name: &str, partition: &DevicePath) -> Result<(), DiskError> {
        self.group_on(name, partition).await
    }
}
