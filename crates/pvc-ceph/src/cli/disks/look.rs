//! What there is on the disks.

use pvc_common::id::DevicePath;
use pvc_common::observed::{BlockDevice, FoundOsd, VolumeGroup};

use super::{DisksCli, Layout};
use crate::DiskError;
use crate::parse::disks;

impl DisksCli {
    pub(super) async fn block_device(
        &self,
        device: &DevicePath,
    ) -> Result<Option<BlockDevice>, DiskError> {
        let lsblk = ["--json", "--bytes", "--output", "PATH,SIZE,MOUNTPOINTS", device.as_str()];
        let Some(json) = self.ask("lsblk", &lsblk).await? else { return Ok(None) };
        let mut found =
            disks::block_device(&json).ok_or(DiskError::Unreadable { what: "lsblk" })?;
        found.signatures = self.signatures(&found.path).await?;
        for (part, signatures) in &mut found.parts {
            *signatures = self.signatures(part).await?;
        }
        Ok(Some(found))
    }

    async fn signatures(
        &self,
        device: &DevicePath,
    ) -> Result<std::collections::BTreeSet<String>, DiskError> {
        let json = self.look("wipefs", &["--no-act", "--json", device.as_str()]).await?.stdout;
        disks::signatures(&json).ok_or(DiskError::Unreadable { what: "wipefs" })
    }

    pub(super) async fn osds_on_volumes(&self) -> Result<Vec<FoundOsd>, DiskError> {
        let json = self.look("ceph-volume", &["lvm", "list", "--format", "json"]).await?.stdout;
        let mut found =
            disks::lvm_osds(&json).ok_or(DiskError::Unreadable { what: "ceph-volume lvm list" })?;
        for osd in &mut found {
            let data = osd.volume.as_ref().map(|volume| format!("/dev/{volume}"));
            let db = osd.db.as_ref().map(|volume| format!("/dev/{volume}"));
            osd.whole = self.is_of(data.as_deref(), osd, true).await?
                && self.is_of(db.as_deref(), osd, false).await?;
        }
        Ok(found)
    }

    pub(super) async fn osds_on_disks(&self) -> Result<Vec<FoundOsd>, DiskError> {
        let json = self.look("ceph-volume", &["raw", "list", "--format", "json"]).await?.stdout;
        let mut found =
            disks::raw_osds(&json).ok_or(DiskError::Unreadable { what: "ceph-volume raw list" })?;
        for osd in &mut found {
            osd.whole = self.is_of(Some(osd.device.as_str()), osd, true).await?;
            let device = self.block_device(&osd.device).await?;
            osd.size = device.map(|device| device.size).unwrap_or_default();
        }
        Ok(found)
    }

    /// Whether a device, if there is to be one, bears the label of that OSD. A tag of LVM does not
    /// suffice: it is set before anything is written.
    async fn is_of(
        &self,
        device: Option<&str>,
        osd: &FoundOsd,
        data: bool,
    ) -> Result<bool, DiskError> {
        let Some(device) = device else { return Ok(true) };
        let json = self.ask("ceph-bluestore-tool", &["show-label", "--dev", device]).await?;
        let labels = disks::labels(json.as_deref().unwrap_or_default());
        Ok(labels.get(device).is_some_and(|it| it.osd == osd.fsid && (it.ready || !data)))
    }

    pub(super) async fn group(&self, name: &str) -> Result<Option<VolumeGroup>, DiskError> {
        if self.layout == Layout::Raw {
            return Ok(None);
        }
        let report = ["--reportformat", "json", "--units", "b", "--nosuffix", "--options"];
        let ask = async |program, options| {
            let words = [&report[..], &[options]].concat();
            Ok::<_, DiskError>(self.look(program, &words).await?.stdout)
        };
        let (vgs, pvs, lvs) = (
            ask("vgs", "vg_name,vg_free").await?,
            ask("pvs", "pv_name,vg_name").await?,
            ask("lvs", "lv_name,vg_name,lv_size").await?,
        );
        disks::volume_group(name, &vgs, &pvs, &lvs)
            .ok_or(DiskError::Unreadable { what: "vgs, pvs, lvs" })
    }
}
