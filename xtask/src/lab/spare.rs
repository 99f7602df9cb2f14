//! The spare disks of a host whose lab has storage: `/dev/spare1` and `/dev/spare2` inside it.
//!
//! Each is a loop device over a sparse file beside the host's own disk. It is attached from the host's
//! first boot until `lab down`, so that what was written is there after a power cut. Inside, a disk has
//! its kernel's name (`/dev/loopN`) besides: that is the one by which programs tell of it. A host has
//! nodes of its own for its disks, made anew at every boot, and none for those of others, though all
//! see them in `/sys`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::libc::dev_t;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use super::host::Host;
use super::layout::Lab;
use crate::run::Run;

/// How many a host has: one for an OSD, and one to replace it by.
const COUNT: u8 = 2;

/// How much each holds. Only what is written takes room on the machine.
const BYTES: u64 = 4 << 30;

/// Gives a host its spare disks for a boot that comes.
///
/// # Errors
/// When the machine has no loop device for one.
pub(crate) fn plug(lab: &Lab, host: Host) -> Result<()> {
    if !lab.has_storage() {
        return Ok(());
    }
    let nodes = nodes(lab, host);
    if nodes.exists() {
        fs::remove_dir_all(&nodes)?;
    }
    fs::create_dir_all(&nodes)?;
    for number in 1..=COUNT {
        let disk = attach(&file(lab, host, number))
            .with_context(|| format!("cannot make a spare disk of {host}"))?;
        let device = disk.device()?;
        for name in [disk.name(), format!("spare{number}")] {
            let mode = Mode::from_bits_truncate(0o660);
            mknod(&nodes.join(name), SFlag::S_IFBLK, mode, device)
                .with_context(|| format!("cannot make a device node of {host}"))?;
        }
    }
    Ok(())
}

/// What has the host's container find its disks in its `/dev`.
///
/// # Errors
/// When what [`plug`] made cannot be read.
pub(crate) fn binds(lab: &Lab, host: Host) -> Result<Vec<OsString>> {
    let nodes = nodes(lab, host);
    if !nodes.exists() {
        return Ok(Vec::new());
    }
    let bind = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry?;
        let mut word = OsString::from("--bind=");
        word.push(entry.path());
        word.push(":/dev/");
        word.push(entry.file_name());
        Ok(word)
    };
    fs::read_dir(nodes)?.map(bind).collect()
}

/// Takes all spare disks of a lab away, whose hosts are dead; their files go with the hosts' disks.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn release(lab: &Lab) -> Result<()> {
    let hosts = lab.dir().join("hosts");
    let Ok(hosts) = hosts.canonicalize() else { return Ok(()) };
    for (disk, file) in attached()? {
        if file.starts_with(&hosts) {
            Run::new(["losetup", "--detach", &disk.path()]).done()?;
        }
    }
    Ok(())
}

/// A loop device by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loop(u64);

impl Loop {
    /// Reads the name that the kernel gives it, with or without the directory.
    fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix("/dev/").unwrap_or(name);
        name.strip_prefix("loop")?.parse().ok().map(Self)
    }

    fn name(self) -> String {
        format!("loop{}", self.0)
    }

    fn path(self) -> String {
        format!("/dev/{}", self.name())
    }

    /// What a device node of it says.
    fn device(self) -> Result<dev_t> {
        let file = Path::new("/sys/block").join(self.name()).join("dev");
        let told = fs::read_to_string(&file)?;
        let number = told
            .trim()
            .split_once(':')
            .and_then(|(major, minor)| Some(makedev(major.parse().ok()?, minor.parse().ok()?)));
        number.with_context(|| format!("{} says `{told}`", file.display()))
    }
}

/// The loop device over a file, which is made if it is not there.
fn attach(file: &Path) -> Result<Loop> {
    if !file.exists() {
        File::create(file)?.set_len(BYTES)?;
    }
    let file = file.canonicalize()?;
    if let Some((disk, _)) = attached()?.into_iter().find(|(_, of)| *of == file) {
        return Ok(disk);
    }
    let name = Run::new(["losetup", "--find", "--show"]).arg(&file).done()?;
    Loop::parse(name.trim()).with_context(|| format!("`losetup` tells of no loop device: {name}"))
}

/// All loop devices of the machine that are over a file.
fn attached() -> Result<Vec<(Loop, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/block").context("cannot see the machine's disks")? {
        let entry = entry?;
        let Some(disk) = Loop::parse(&entry.file_name().to_string_lossy()) else { continue };
        // One that is over nothing has no such file.
        if let Ok(file) = fs::read_to_string(entry.path().join("loop/backing_file")) {
            found.push((disk, PathBuf::from(backing(&file))));
        }
    }
    Ok(found)
}

/// The file that the kernel tells of, without the remark that it was removed.
fn backing(told: &str) -> &str {
    let told = told.strip_suffix('\n').unwrap_or(told);
    told.strip_suffix(" (deleted)").unwrap_or(told)
}

fn file(lab: &Lab, host: Host, number: u8) -> PathBuf {
    lab.disk(host).join(format!("spare{number}"))
}

fn nodes(lab: &Lab, host: Host) -> PathBuf {
    lab.disk(host).join("dev")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_device_is_told_from_other_disks() {
        assert_eq!(Loop::parse("/dev/loop12"), Some(Loop(12)));
        assert_eq!(Loop::parse("loop0").map(Loop::path), Some("/dev/loop0".to_owned()));
        for other in ["vda", "/dev/loop-control", "loop", "/dev/loop1p1"] {
            assert_eq!(Loop::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_file_is_known_although_it_was_removed() {
        assert_eq!(backing("/lab/hosts/hv1/spare1\n"), "/lab/hosts/hv1/spare1");
        assert_eq!(backing("/lab/hosts/hv1/spare1 (deleted)\n"), "/lab/hosts/hv1/spare1");
    }
}
