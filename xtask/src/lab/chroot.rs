//! A root file system to run Debian's tools in, whose changes land in a layer of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::layout::Lab;
use super::space;

/// Mounted inside the lab's mount namespace until closed.
pub(crate) struct Chroot<'a> {
    lab: &'a Lab,
    root: PathBuf,
    work: PathBuf,
}

impl<'a> Chroot<'a> {
    /// Mounts the layers `below`, the topmost first, with changes going to `changes`.
    ///
    /// # Errors
    /// When it cannot be mounted.
    pub(crate) fn over(lab: &'a Lab, below: &[PathBuf], changes: &Path) -> Result<Self> {
        let chroot = Self { lab, root: lab.image().join("chroot"), work: lab.image().join("work") };
        chroot.unmount()?;
        for dir in [changes, &chroot.work, &chroot.root] {
            fs::create_dir_all(dir)?;
        }
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            below.iter().map(|layer| layer.display().to_string()).collect::<Vec<_>>().join(":"),
            changes.display(),
            chroot.work.display()
        );
        chroot.mount(&["-t", "overlay", "-o", &options, "overlay"], "")?;
        chroot.mount(&["-t", "proc", "proc"], "proc")?;
        chroot.mount(&["--bind", "/dev"], "dev")?;
        for file in ["etc/resolv.conf", "etc/hosts"] {
            space::inside(lab, ["cp", "--dereference"])?
                .arg(Path::new("/").join(file))
                .arg(chroot.root.join(file))
                .done()?;
        }
        // Nothing is to be started in here.
        chroot.run([
            "sh",
            "-c",
            "printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d",
        ])?;
        Ok(chroot)
    }

    /// Runs a program in it.
    ///
    /// # Errors
    /// When it fails or takes longer than 15 min.
    pub(crate) fn run<'w>(&self, argv: impl IntoIterator<Item = &'w str>) -> Result<String> {
        space::inside(self.lab, ["chroot"])?
            .arg(&self.root)
            .args(argv)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .limit(Duration::from_secs(900))
            .done()
    }

    /// Runs `apt-get` in it.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn apt<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Result<()> {
        self.run(["apt-get", "-q"].into_iter().chain(words)).map(drop)
    }

    /// Unmounts it, its own files removed.
    ///
    /// # Errors
    /// When it is busy.
    pub(crate) fn close(self) -> Result<()> {
        self.run(["rm", "-f", "/usr/sbin/policy-rc.d", "/etc/resolv.conf", "/etc/hosts"])?;
        self.unmount()
    }

    fn mount(&self, what: &[&str], at: &str) -> Result<()> {
        space::inside(self.lab, ["mount"])?
            .args(what)
            .arg(self.root.join(at))
            .done()
            .map(drop)
            .context("cannot mount a root file system to work in")
    }

    fn unmount(&self) -> Result<()> {
        let mounted = space::inside(self.lab, ["mountpoint", "-q"])?.arg(&self.root);
        if mounted.succeeds()? {
            space::inside(self.lab, ["umount", "--recursive"])?.arg(&self.root).done()?;
        }
        if self.work.exists() {
            fs::remove_dir_all(&self.work)?;
        }
        Ok(())
    }
}
