//! Which disk is meant by its description.

use pvc_common::id::{Detect, DevicePath, Disk};

use super::DisksCli;
use crate::DiskError;
use crate::parse::disks;

impl DisksCli {
    pub(super) async fn path_of(&self, disk: &Disk) -> Result<DevicePath, DiskError> {
        match disk {
            Disk::Path(path) => Ok(path.clone()),
            Disk::Detect(detect) => self.detect(detect).await,
        }
    }

    async fn detect(&self, detect: &Detect) -> Result<DevicePath, DiskError> {
        // A machine that has no disks of one kind need not have the program for them.
        if let Some(lines) = self.ask("lsscsi", &["--size"]).await?
            && let Some(path) = disks::scsi_disk(&lines, detect)
        {
            return Ok(path);
        }
        let json = self.ask("nvme", &["list", "--output-format", "json"]).await?;
        json.and_then(|json| disks::nvme_disk(&json, detect))
            .ok_or_else(|| DiskError::NoDisk { disk: detect.to_string() })
    }
}
