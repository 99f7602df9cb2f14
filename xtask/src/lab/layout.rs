//! Where a lab lives: its directories, its names in the kernel, its hosts.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::host::Host;
use super::{light, space};
use crate::wait;

/// Names the lab's directory; another directory is another lab, beside the first.
pub(crate) const DIR_VARIABLE: &str = "PVC_LAB_DIR";

/// As long as an image may take to make.
const LAB_LOCK: Duration = Duration::from_secs(20 * 60);

const DEFAULT_DIR: &str = "/var/lib/pvc-lab";

/// One lab, running or not.
///
/// Everything it makes carries its name: the last part of its directory.
#[derive(Clone, Debug)]
pub(crate) struct Lab {
    dir: PathBuf,
    name: String,
    light: bool,
}

impl Lab {
    /// The lab in `PVC_LAB_DIR`, or the one in `/var/lib/pvc-lab`.
    ///
    /// # Errors
    /// When the directory's last part cannot name things in the kernel.
    pub(crate) fn from_env() -> Result<Self> {
        Self::at(env::var_os(DIR_VARIABLE).map_or_else(|| DEFAULT_DIR.into(), PathBuf::from))
    }

    /// The lab without hosts, in `PVC_LAB_DIR` or where its files go otherwise.
    ///
    /// # Errors
    /// As [`Lab::from_env`], and when nobody knows whose home is ours.
    pub(crate) fn light_from_env() -> Result<Self> {
        let dir = env::var_os(DIR_VARIABLE).map(PathBuf::from);
        Self::light_at(dir.map_or_else(light::default_dir, Ok)?)
    }

    /// The lab without hosts in this directory.
    ///
    /// # Errors
    /// As [`Lab::from_env`].
    pub(crate) fn light_at(dir: PathBuf) -> Result<Self> {
        Ok(Self { light: true, ..Self::at(dir)? })
    }

    /// Whether its nodes are plain processes of this machine instead of hosts.
    pub(crate) fn is_light(&self) -> bool {
        self.light
    }

    fn at(dir: PathBuf) -> Result<Self> {
        ensure!(
            dir.is_absolute(),
            "{DIR_VARIABLE} is `{}`: expected an absolute path",
            dir.display()
        );
        let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or("");
        ensure!(
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
            "{DIR_VARIABLE} is `{}`: its last part names the lab, expected letters, digits and `-`",
            dir.display()
        );
        Ok(Self { name: name.to_owned(), dir, light: false })
    }

    /// What everything of this lab is named after.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Everything on disk: caches, the hosts' disks, logs.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Downloaded and built once, kept by `lab down`.
    pub(crate) fn image(&self) -> PathBuf {
        self.dir.join("image")
    }

    /// What only lives as long as the lab is up; gone with a restart of the machine.
    pub(crate) fn run(&self) -> PathBuf {
        if self.light { self.dir.join("run") } else { Path::new("/run").join(&self.name) }
    }

    /// Logs of what the lab itself runs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The client's connection store and ready-made VM definitions.
    pub(crate) fn client(&self) -> PathBuf {
        self.dir.join("client")
    }

    /// What all hosts see as `/var/lib/pvc-shared`: one file system, so that what several append
    /// to a file there stands in the order in which they did.
    pub(crate) fn shared(&self) -> PathBuf {
        self.dir.join("shared")
    }

    /// The copy of this program that the lab's own processes run.
    ///
    /// A copy, because a build replaces the original while the lab is up.
    pub(crate) fn program(&self) -> PathBuf {
        self.dir.join("bin/xtask")
    }

    /// The client, as it was built for this lab.
    pub(crate) fn client_program(&self) -> PathBuf {
        self.dir.join("bin/pvc")
    }

    /// A host's disk: the upper layer of its root file system.
    pub(crate) fn disk(&self, host: Host) -> PathBuf {
        self.dir.join("hosts").join(host.to_string())
    }

    /// A host's state: its power switch, its lock.
    pub(crate) fn host_run(&self, host: Host) -> PathBuf {
        self.run().join(host.to_string())
    }

    /// What a host's console has shown since the lab came up.
    pub(crate) fn console(&self, host: Host) -> PathBuf {
        self.logs().join(format!("{host}.console"))
    }

    /// A network namespace of this lab: `switch`, `client` or a host's.
    pub(crate) fn netns(&self, of: &str) -> String {
        format!("{}-{of}", self.name)
    }

    /// Whether `lab up` has laid the ground and `lab down` has not been.
    pub(crate) fn is_up(&self) -> bool {
        // A machine that was restarted may still have the file.
        (self.light || space::exists(self)) && self.count_file().exists()
    }

    /// The hosts of the running lab.
    ///
    /// # Errors
    /// When the lab is not up.
    pub(crate) fn hosts(&self) -> Result<Vec<Host>> {
        if !self.is_up() {
            bail!("the lab is not up: `cargo xtask lab up` starts it");
        }
        let file = self.count_file();
        let count =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let count =
            count.trim().parse().with_context(|| format!("{} holds no number", file.display()))?;
        Ok(Host::first(count))
    }

    /// Fails unless `host` is one of the running lab's.
    ///
    /// # Errors
    /// When the lab is not up or smaller than that.
    pub(crate) fn check(&self, host: Host) -> Result<Host> {
        let hosts = self.hosts()?;
        ensure!(hosts.contains(&host), "there is no {host}: the lab has {} hosts", hosts.len());
        Ok(host)
    }

    /// Records how many hosts the lab that comes up has.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn record_count(&self, count: u8) -> Result<()> {
        fs::write(self.count_file(), count.to_string()).context("cannot record the hosts")
    }

    /// Whether the hosts have a Ceph.
    pub(crate) fn has_storage(&self) -> bool {
        self.storage_file().exists()
    }

    /// Records whether the hosts of the lab that comes up have a Ceph.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn record_storage(&self, storage: bool) -> Result<()> {
        record(&self.storage_file(), storage).context("cannot record whether there is storage")
    }

    /// Whether the coordinators have a database.
    pub(crate) fn has_database(&self) -> bool {
        self.database_file().exists()
    }

    /// Records whether the coordinators of the lab that comes up have a database.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn record_database(&self, database: bool) -> Result<()> {
        record(&self.database_file(), database).context("cannot record whether there is a database")
    }

    /// Makes sure that only one process at a time brings the lab up or down.
    ///
    /// # Errors
    /// When another is at it for 20 min.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = Path::new("/run/lock").join(format!("{}.lock", self.name));
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        lock(&file, "whoever brings the lab up or down", LAB_LOCK)?;
        Ok(file)
    }

    fn count_file(&self) -> PathBuf {
        self.run().join("hosts")
    }

    fn database_file(&self) -> PathBuf {
        self.run().join("database")
    }

    fn storage_file(&self) -> PathBuf {
        self.run().join("storage")
    }
}

/// Has a file that says yes by being there.
fn record(file: &Path, yes: bool) -> std::io::Result<()> {
    match (yes, file.exists()) {
        (true, _) => fs::write(file, ""),
        (false, true) => fs::remove_file(file),
        (false, false) => Ok(()),
    }
}

/// Waits until nobody else holds this file's lock, and takes it; it ends with the file.
///
/// # Errors
/// When `what` holds it for longer than `limit`.
pub(crate) fn lock(file: &File, what: &str, limit: Duration) -> Result<()> {
    let every = Duration::from_millis(20);
    wait::until(what, limit, every, || match file.try_lock() {
        Ok(()) => Ok(Some(())),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_directory_is_another_lab() {
        let lab = Lab::at("/srv/second-lab".into()).unwrap();
        assert_eq!(lab.netns("hv1"), "second-lab-hv1");
        assert_eq!(lab.run(), Path::new("/run/second-lab"));
    }

    #[test]
    fn a_directory_that_cannot_name_a_lab_is_refused() {
        for dir in ["relative", "/", "/srv/my lab", "/srv/x/.."] {
            assert!(Lab::at(dir.into()).is_err(), "{dir}");
        }
    }
}
