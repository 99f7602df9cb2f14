//! What takes LVM.

use pvc_common::id::{DevicePath, LvName};
use pvc_common::observed::FoundOsd;
use pvc_common::unit::Bytes;

use super::DisksCli;
use crate::DiskError;

impl DisksCli {
    pub(super) async fn move_db(
        &self,
        osd: &FoundOsd,
        db: &LvName,
        size: Bytes,
    ) -> Result<(), DiskError> {
        self.with_lvm("a database on another disk")?;
        let (id, fsid, volume) = (osd.id.to_string(), osd.fsid.to_string(), db.to_string());
        let mib = format!("{}M", size.0 >> 20);
        // The folder by which its programs know an OSD is gone after the machine was started anew.
        let activate = ["lvm", "activate", "--bluestore", "--no-systemd", &id, &fsid];
        self.act("ceph-volume", &activate).await?;
        self.drop_volume(db).await?;
        let create = ["--yes", "--size", &mib, "--name", db.volume(), db.group()];
        self.act("lvcreate", &create).await?;
        let target = ["--osd-id", &id, "--osd-fsid", &fsid, "--target", &volume];
        self.act("ceph-volume", &[&["lvm", "new-db"][..], &target].concat()).await
    }

    pub(super) async fn drop_volume(&self, volume: &LvName) -> Result<(), DiskError> {
        self.with_lvm("a logical volume")?;
        let there = self.group(volume.group()).await?;
        if there.is_some_and(|group| group.volumes.contains_key(volume.volume())) {
            self.act("lvremove", &["--yes", &volume.to_string()]).await?;
        }
        Ok(())
    }

    pub(super) async fn partition_for_lvm(&self, device: &DevicePath) -> Result<(), DiskError> {
        self.with_lvm("a partition for databases")?;
        // One partition from the first free sector to the last, of the type of LVM.
        let words = ["--clear", "--new", "1:0:0", "--typecode", "1:8e00", device.as_str()];
        self.act("sgdisk", &words).await
    }

    pub(super) async fn group_on(&self, name: &str, on: &DevicePath) -> Result<(), DiskError> {
        self.with_lvm("a volume group")?;
        self.act("pvcreate", &["--yes", "--force", on.as_str()]).await?;
        self.act("vgcreate", &["--yes", "--force", name, on.as_str()]).await
    }
}
