//! Adding and removing disks, by the volume that they are of.

use super::EditError;
use super::build::disk_like;
use super::device::{add_device, disk_elements, remove_device};
use crate::device::Disk;

/// How libvirt begins the names of disks' targets, by the bus they once stood for.
const PREFIXES: [&str; 6] = ["sd", "vd", "hd", "xvd", "ubd", "fd"];

/// A disk that a VM is to have.
#[derive(Clone, Copy, Debug)]
pub struct NewDisk<'a> {
    /// What it is of: `rbd` or `file`.
    pub kind: &'a str,
    /// `pool/volume`, or the path of a file.
    pub name: &'a str,
    /// Its target in the guest, such as `sdb`; by default the first that is free.
    pub dev: Option<&'a str>,
    /// Its bus, such as `scsi`.
    pub bus: &'a str,
}

/// What became of a definition that gained or lost a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskChange {
    /// The new definition.
    pub xml: String,
    /// The element of the disk that came or went, to give to or take from a running VM.
    pub disk: String,
}

/// Adds a disk, made like the VM's last one of the same kind, so that secrets, monitors and
/// cache settings are the same.
///
/// # Errors
/// If the text is no domain, the VM has a disk of this volume or with this target already, or
/// none of that kind to take after.
pub fn add_disk(xml: &str, new: &NewDisk<'_>) -> Result<DiskChange, EditError> {
    let disks: Vec<Disk> = disk_elements(xml)?.into_iter().map(|(disk, _)| disk).collect();
    if disks.iter().any(|disk| disk.kind == new.kind && disk.name == new.name) {
        return Err(EditError::AlreadyThere { which: volume(new.name) });
    }
    let dev = new.dev.map_or_else(|| free_target(&disks), str::to_owned);
    let disk = disk_like(xml, new.kind, new.name, &dev, new.bus)?;
    Ok(DiskChange { xml: add_device(xml, &disk)?, disk })
}

/// Removes the disk of a volume, named as its source: `pool/volume`, or the path of a file.
///
/// # Errors
/// If the text is no domain or the VM has no disk of this volume.
pub fn remove_disk(xml: &str, name: &str) -> Result<DiskChange, EditError> {
    let found = disk_elements(xml)?.into_iter().find(|(disk, _)| disk.name == name);
    let (_, disk) = found.ok_or_else(|| EditError::NotThere { which: volume(name) })?;
    Ok(DiskChange { xml: remove_device(xml, &disk)?, disk })
}

fn volume(name: &str) -> String {
    format!("volume {name}")
}

/// The first target that no disk or drive has, named as the first disk's is.
fn free_target(disks: &[Disk]) -> String {
    let first = disks.iter().find(|disk| disk.device == "disk");
    let prefix = first
        .and_then(|disk| PREFIXES.iter().find(|prefix| disk.dev.starts_with(**prefix)))
        .unwrap_or(&PREFIXES[0]);
    let is_free = |target: &String| disks.iter().all(|disk| disk.dev != *target);
    let targets = (0..).map(|index| format!("{prefix}{}", letters(index)));
    targets.take(disks.len() + 1).find(is_free).expect("there are more targets than disks")
}

/// `a` to `z`, then `aa` and so on.
fn letters(index: usize) -> String {
    let last = b'a' + u8::try_from(index % 26).expect("less than 26");
    let before = (index / 26).checked_sub(1).map(letters).unwrap_or_default();
    format!("{before}{}", char::from(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB1: &str = include_str!("../../tests/web1.xml");

    const NEW: NewDisk<'_> =
        NewDisk { kind: "rbd", name: "vms/web1_data", dev: None, bus: "virtio" };

    #[test]
    fn a_disk_comes_with_the_secret_and_the_monitors_of_the_others_and_goes_without_a_trace() {
        // Without the second disk, which is bare.
        let web1 = remove_disk(WEB1, "vms/web1_sdb").unwrap().xml;
        let with = add_disk(&web1, &NEW).unwrap();
        assert!(with.disk.contains("<secret type='ceph' uuid='11111111-"), "{}", with.disk);
        assert!(with.disk.contains("<host name='hv1' port='6789'/>"), "{}", with.disk);
        assert!(with.disk.contains("name='vms/web1_data'"), "{}", with.disk);
        assert!(with.disk.contains("<target dev='sdb' bus='virtio'/>"), "{}", with.disk);
        let images = crate::describe(&with.xml).unwrap();
        assert_eq!(images.rbd_images(), ["vms/web1_sda", "vms/web1_data"]);
        let without = remove_disk(&with.xml, "vms/web1_data").unwrap();
        assert_eq!((without.xml, without.disk), (web1, with.disk));
    }

    #[test]
    fn a_target_can_be_chosen_and_is_not_given_twice() {
        let chosen = add_disk(WEB1, &NewDisk { dev: Some("sdx"), ..NEW }).unwrap();
        assert!(chosen.disk.contains("<target dev='sdx' bus='virtio'/>"), "{}", chosen.disk);
        let taken = add_disk(WEB1, &NewDisk { dev: Some("hdc"), ..NEW }).unwrap_err();
        assert_eq!(taken.to_string(), "the VM already has disk hdc");
    }

    #[test]
    fn a_volume_is_added_once_and_removed_only_if_it_is_there() {
        let twice = add_disk(WEB1, &NewDisk { name: "vms/web1_sda", ..NEW }).unwrap_err();
        assert_eq!(twice.to_string(), "the VM already has volume vms/web1_sda");
        let missing = remove_disk(WEB1, "vms/other").unwrap_err();
        assert_eq!(missing.to_string(), "the VM has no volume vms/other");
    }

    #[test]
    fn a_free_target_is_found_however_many_there_are() {
        let disk = |dev: &str, device: &str| Disk {
            dev: dev.to_owned(),
            device: device.to_owned(),
            ..Disk::default()
        };
        assert_eq!(free_target(&[]), "sda");
        assert_eq!(free_target(&[disk("hda", "cdrom"), disk("vda", "disk")]), "vdb");
        assert_eq!(free_target(&[disk("sdb", "disk")]), "sda");
        let many: Vec<Disk> = (0..28).map(|n| disk(&format!("sd{}", letters(n)), "disk")).collect();
        assert_eq!(many[27].dev, "sdab");
        assert_eq!(free_target(&many), "sdac");
    }
}
