//! The lab's own mount namespace.
//!
//! Any process elsewhere on the machine that copies the machine's mount namespace (`ip netns
//! exec`, `unshare`, a container) would pin a host's disk past its power cut. So the hosts' file
//! systems are mounted in a namespace nobody copies, held by a file in a private tmpfs.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::layout::Lab;
use crate::run::Run;

fn handle(lab: &Lab) -> PathBuf {
    lab.run().join("mounts")
}

/// Makes the namespace unless it is there.
///
/// # Errors
/// When the machine does not permit it.
pub(crate) fn make(lab: &Lab) -> Result<()> {
    let run = lab.run();
    fs::create_dir_all(&run).with_context(|| format!("cannot make {}", run.display()))?;
    if !is_mount_point(&run)? {
        Run::new(["mount", "-t", "tmpfs", "-o", "mode=755", lab.name()]).arg(&run).done()?;
        // A namespace can only be held by a file that is not shared with others.
        Run::new(["mount", "--make-private"]).arg(&run).done()?;
    }
    let handle = handle(lab);
    if exists(lab)? {
        return Ok(());
    }
    fs::write(&handle, "").context("cannot make the namespace's handle")?;
    fs::create_dir_all(lab.dir())?;
    Run::new(["unshare", "--propagation", "slave"])
        .arg(format!("--mount={}", handle.display()))
        // Shared inside the lab: an unmount must reach the hosts' own namespaces too.
        .args(["sh", "-c", "mount --bind \"$0\" \"$0\" && mount --make-shared \"$0\""])
        .arg(lab.dir())
        .done()
        .context("cannot make a mount namespace")?;
    Ok(())
}

/// Gives the namespace up, and with it the lab's run directory.
///
/// # Errors
/// When something still holds it.
pub(crate) fn remove(lab: &Lab) -> Result<()> {
    let handle = handle(lab);
    if exists(lab)? {
        Run::new(["umount"]).arg(&handle).done()?;
    }
    let run = lab.run();
    if is_mount_point(&run)? {
        Run::new(["umount"]).arg(&run).done()?;
    }
    match fs::remove_dir(&run) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", run.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether the namespace is there.
///
/// # Errors
/// When it cannot be seen.
pub(crate) fn exists(lab: &Lab) -> Result<bool> {
    let handle = handle(lab);
    Ok(handle.exists() && is_namespace(&handle)?)
}

/// A program that will see the lab's mounts.
pub(crate) fn inside<S: AsRef<OsStr>>(lab: &Lab, argv: impl IntoIterator<Item = S>) -> Run {
    Run::new(["nsenter".into(), entry(lab), "--".to_owned()]).args(argv)
}

/// The option that makes `nsenter` enter the namespace.
pub(crate) fn entry(lab: &Lab) -> String {
    format!("--mount={}", handle(lab).display())
}

/// Whether something is mounted at `path` in the machine's own namespace.
fn is_mount_point(path: &Path) -> Result<bool> {
    Run::new(["mountpoint", "-q"]).arg(path).succeeds()
}

fn is_namespace(path: &Path) -> Result<bool> {
    let kind = Run::new(["stat", "-f", "-c", "%T"]).arg(path).done()?;
    Ok(kind.trim() == "nsfs")
}
