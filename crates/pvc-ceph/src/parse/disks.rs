//! Understanding what the programs tell that know a machine's disks.

use std::collections::{BTreeMap, BTreeSet};

use pvc_common::id::{Detect, DevicePath, Fsid, LvName, OsdId, maker_size};
use pvc_common::observed::{BlockDevice, FoundOsd, VolumeGroup};
use pvc_common::unit::Bytes;
use serde::Deserialize;

use crate::disk::Label;

#[derive(Deserialize)]
struct Blocks {
    blockdevices: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    path: String,
    size: u64,
    #[serde(default)]
    mountpoints: Vec<Option<String>>,
    #[serde(default)]
    children: Vec<Block>,
}

impl Block {
    /// What is made of it, at any remove.
    fn parts(&self) -> Vec<&Self> {
        self.children.iter().flat_map(|part| [vec![part], part.parts()].concat()).collect()
    }
}

/// Understands `lsblk --json --bytes --output PATH,SIZE,MOUNTPOINTS` of one device. What is written
/// on it and on its parts is for [`signatures`] to tell.
pub(crate) fn block_device(json: &str) -> Option<BlockDevice> {
    let raw: Blocks = serde_json::from_str(json).ok()?;
    let [device] = &raw.blockdevices[..] else { return None };
    let parts = device.parts();
    let mounts = parts.iter().chain([&device]).flat_map(|part| part.mountpoints.iter().flatten());
    Some(BlockDevice {
        path: device.path.parse().ok()?,
        size: Bytes(device.size),
        signatures: BTreeSet::new(),
        mounts: mounts.cloned().collect(),
        parts: parts
            .iter()
            .map(|part| Some((part.path.parse().ok()?, BTreeSet::new())))
            .collect::<Option<_>>()?,
    })
}

/// Understands `wipefs --no-act --json`.
pub(crate) fn signatures(json: &str) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Raw {
        signatures: Vec<Signature>,
    }
    #[derive(Deserialize)]
    struct Signature {
        #[serde(rename = "type")]
        kind: String,
    }
    if json.trim().is_empty() {
        return Some(BTreeSet::new());
    }
    let raw: Raw = serde_json::from_str(json).ok()?;
    Some(raw.signatures.into_iter().map(|signature| signature.kind).collect())
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "type")]
    kind: String,
    devices: Vec<String>,
    lv_name: String,
    lv_size: String,
    vg_name: String,
    tags: BTreeMap<String, String>,
}

impl Listed {
    fn name(&self) -> Option<LvName> {
        format!("{}/{}", self.vg_name, self.lv_name).parse().ok()
    }

    fn tag<T: std::str::FromStr>(&self, tag: &str) -> Option<T> {
        self.tags.get(tag)?.parse().ok()
    }
}

/// Understands `ceph-volume lvm list --format json`. Whether an OSD is whole is for [`labels`] to
/// tell.
///
/// Volumes of something else than an OSD's data or database are left out, and so is what is not
/// understood: it is no OSD that could be run.
pub(crate) fn lvm_osds(json: &str) -> Option<Vec<FoundOsd>> {
    let raw: BTreeMap<String, Vec<Listed>> = serde_json::from_str(json).ok()?;
    let volumes = || raw.values().flatten();
    let db_of = |fsid: Fsid| {
        volumes()
            .find(|volume| volume.kind == "db" && volume.tag("ceph.osd_fsid") == Some(fsid))
            .and_then(Listed::name)
    };
    let osd = |volume: &Listed| {
        let fsid = volume.tag("ceph.osd_fsid")?;
        Some(FoundOsd {
            id: volume.tag("ceph.osd_id")?,
            fsid,
            cluster: volume.tag("ceph.cluster_fsid")?,
            device: volume.devices.first()?.parse().ok()?,
            volume: volume.name(),
            db: db_of(fsid),
            size: Bytes(volume.lv_size.trim_end_matches('B').parse().ok()?),
            whole: false,
        })
    };
    Some(volumes().filter(|volume| volume.kind == "block").filter_map(osd).collect())
}

/// Understands `ceph-volume raw list --format json`. How much an OSD holds and whether it is whole
/// is for others to tell.
pub(crate) fn raw_osds(json: &str) -> Option<Vec<FoundOsd>> {
    #[derive(Deserialize)]
    struct Raw {
        ceph_fsid: String,
        device: String,
        osd_id: u32,
        osd_uuid: String,
    }
    let raw: BTreeMap<String, Raw> = serde_json::from_str(json).ok()?;
    let osd = |raw: Raw| {
        Some(FoundOsd {
            id: OsdId(raw.osd_id),
            fsid: raw.osd_uuid.parse().ok()?,
            cluster: raw.ceph_fsid.parse().ok()?,
            device: raw.device.parse().ok()?,
            volume: None,
            db: None,
            size: Bytes(0),
            whole: false,
        })
    };
    Some(raw.into_values().filter_map(osd).collect())
}

/// Understands `ceph-bluestore-tool show-label`: the label of each device that has one.
///
/// The label holds the OSD's key too, which goes no further.
pub(crate) fn labels(json: &str) -> BTreeMap<String, Label> {
    #[derive(Deserialize)]
    struct Raw {
        osd_uuid: String,
        #[serde(default)]
        ready: Option<String>,
    }
    let raw: BTreeMap<String, Raw> = serde_json::from_str(json).unwrap_or_default();
    let label = |(device, raw): (String, Raw)| {
        let ready = raw.ready.as_deref() == Some("ready");
        Some((device, Label { osd: raw.osd_uuid.parse().ok()?, ready }))
    };
    raw.into_iter().filter_map(label).collect()
}

/// The rows of a report that LVM's programs give with `--reportformat json`.
fn report<T: serde::de::DeserializeOwned>(json: &str, of: &str) -> Option<Vec<T>> {
    #[derive(Deserialize)]
    struct Raw<T> {
        report: Vec<BTreeMap<String, Vec<T>>>,
    }
    let mut raw: Raw<T> = serde_json::from_str(json).ok()?;
    raw.report.first_mut()?.remove(of)
}

/// Understands `vgs`, `pvs` and `lvs`, all with `--reportformat json --units b --nosuffix`: the
/// group of that name, if there is one.
#[expect(clippy::option_option, reason = "not understood, and no such group")]
pub(crate) fn volume_group(
    name: &str,
    vgs: &str,
    pvs: &str,
    lvs: &str,
) -> Option<Option<VolumeGroup>> {
    #[derive(Deserialize)]
    struct Vg {
        vg_name: String,
        vg_free: String,
    }
    #[derive(Deserialize)]
    struct Pv {
        pv_name: String,
        vg_name: String,
    }
    #[derive(Deserialize)]
    struct Lv {
        lv_name: String,
        vg_name: String,
        lv_size: String,
    }
    let (vgs, pvs, lvs): (Vec<Vg>, Vec<Pv>, Vec<Lv>) =
        (report(vgs, "vg")?, report(pvs, "pv")?, report(lvs, "lv")?);
    let Some(group) = vgs.iter().find(|group| group.vg_name == name) else { return Some(None) };
    let devices = pvs.iter().filter(|pv| pv.vg_name == name);
    let volume = |lv: &Lv| Some((lv.lv_name.clone(), Bytes(lv.lv_size.parse().ok()?)));
    Some(Some(VolumeGroup {
        name: name.to_owned(),
        free: Bytes(group.vg_free.parse().ok()?),
        devices: devices.filter_map(|pv| pv.pv_name.parse().ok()).collect(),
        volumes: lvs.iter().filter(|lv| lv.vg_name == name).map(volume).collect::<Option<_>>()?,
    }))
}

/// Understands `lsscsi --size`: the disk that is meant, if it is among them.
pub(crate) fn scsi_disk(lines: &str, detect: &Detect) -> Option<DevicePath> {
    let disk = |line: &str| {
        let cells: Vec<&str> = line.split_ascii_whitespace().collect();
        let [.., path, size] = cells[..] else { return None };
        let alike = cells.get(1) == Some(&"disk") && detect.is_like(line, maker_size(size)?);
        path.parse().ok().filter(|_| alike)
    };
    lines.lines().filter_map(disk).nth(detect.index())
}

/// Understands `nvme list --output-format json`: the disk that is meant, if it is among them. It
/// prints nothing at all if there is none.
pub(crate) fn nvme_disk(json: &str, detect: &Detect) -> Option<DevicePath> {
    #[derive(Deserialize)]
    struct Raw {
        #[serde(rename = "Devices")]
        devices: Vec<Nvme>,
    }
    #[derive(Deserialize)]
    struct Nvme {
        #[serde(rename = "DevicePath")]
        path: String,
        #[serde(rename = "ModelNumber")]
        model: String,
        #[serde(rename = "PhysicalSize")]
        size: u64,
    }
    let raw: Raw = serde_json::from_str(json).ok()?;
    let alike = raw.devices.iter().filter(|disk| detect.is_like(&disk.model, Bytes(disk.size)));
    alike.filter_map(|disk| disk.path.parse().ok()).nth(detect.index())
}

#[cfg(test)]
mod tests;
