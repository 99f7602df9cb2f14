//! A host's root file system: its own disk over the layers that all hosts share.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::host::Host;
use super::layout::Lab;
use super::{identity, image, space};
use crate::wait;

/// Where a host's root file system is mounted, inside the lab's mount namespace.
pub(crate) fn root(lab: &Lab, host: Host) -> PathBuf {
    lab.disk(host).join("root")
}

/// Mounts a host's root file system. A disk that is not there is made, with the host's identity.
///
/// # Errors
/// When the disk cannot be written or mounted.
pub(crate) fn mount(lab: &Lab, host: Host) -> Result<()> {
    let disk = lab.disk(host);
    let (upper, work, root) = (disk.join("upper"), disk.join("work"), root(lab, host));
    if !upper.exists() {
        let fresh = disk.join("fresh");
        fs::create_dir_all(&fresh)?;
        identity::write(lab, host, &fresh)?;
        fs::rename(&fresh, &upper).context("cannot make a disk")?;
    }
    fs::create_dir_all(&work)?;
    fs::create_dir_all(&root)?;
    if is_mounted(lab, host)? {
        return Ok(());
    }
    let layers: Vec<String> =
        image::layers(lab).iter().map(|layer| layer.display().to_string()).collect();
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        layers.join(":"),
        upper.display(),
        work.display()
    );
    space::inside(lab, ["mount", "-t", "overlay", "overlay", "-o", &options])?
        .arg(root)
        .done()
        .with_context(|| format!("cannot mount the disk of {host}"))?;
    Ok(())
}

/// Unmounts it. Its contents stay.
///
/// # Errors
/// When something keeps it busy for 5 s.
pub(crate) fn unmount(lab: &Lab, host: Host) -> Result<()> {
    let what = format!("the end of all use of {host}'s disk");
    let every = Duration::from_millis(20);
    wait::until(&what, Duration::from_secs(5), every, || {
        if !is_mounted(lab, host)? {
            return Ok(Some(()));
        }
        space::inside(lab, ["umount"])?.arg(root(lab, host)).done()?;
        Ok(None)
    })
}

fn is_mounted(lab: &Lab, host: Host) -> Result<bool> {
    space::inside(lab, ["mountpoint", "-q"])?.arg(root(lab, host)).succeeds()
}
