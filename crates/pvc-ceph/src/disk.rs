//! The disks of this machine, and the OSDs on them.

use std::future::Future;
use std::time::Duration;

use pvc_command::CommandError;
use pvc_common::id::{DevicePath, Disk, Fsid, LvName};
use pvc_common::observed::{BlockDevice, FoundOsd, NewOsds, VolumeGroup};
use pvc_common::unit::Bytes;

/// Why nothing came of what was asked of this machine's disks.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A program is not installed.
    #[error("`{program}` is not installed")]
    Absent {
        /// The missing program.
        program: &'static str,
    },
    /// There is no such disk.
    #[error("this machine has no disk {disk}")]
    NoDisk {
        /// What was looked for.
        disk: String,
    },
    /// It takes LVM, which is not used here.
    #[error("{what} takes LVM, which is not used on this machine")]
    TakesLvm {
        /// What was asked for.
        what: &'static str,
    },
    /// A program that was started earlier still works on the disks.
    #[error("a program that was started earlier still works on the disks, after {} s", waited.as_secs())]
    Busy {
        /// How long it was waited for.
        waited: Duration,
    },
    /// It did not end in time, and was killed. What was asked may be done, in part or not at all.
    #[error("`{command}` did not end within {} s", waited.as_secs())]
    NoAnswer {
        /// What was asked.
        command: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It refused.
    #[error("`{command}` failed: {why}")]
    Refused {
        /// What was asked.
        command: String,
        /// Its reason.
        why: String,
    },
    /// It answered something that is not understood.
    #[error("the answer of `{what}` is not understood")]
    Unreadable {
        /// What was asked.
        what: &'static str,
    },
    /// It could not be run.
    #[error("could not run `{command}`")]
    Failed {
        /// What was asked.
        command: String,
        /// What happened.
        #[source]
        source: CommandError,
    },
}

/// The disks of this machine. Every call ends within its deadline, and may be repeated. No two
/// calls happen at once, not even with what a daemon left that was killed: a call waits for it.
///
/// What destroys does so without asking: whether it may is decided before, on what was seen.
pub trait Disks: Clone + Send + Sync + 'static {
    /// Whether disks are taken apart by LVM. Without, there is one OSD on a disk, and its database
    /// is with it.
    fn lvm(&self) -> bool;

    /// The path of the disk that is meant.
    ///
    /// # Errors
    /// [`DiskError`]; [`DiskError::NoDisk`] if no disk is like that.
    fn find(&self, disk: &Disk) -> impl Future<Output = Result<DevicePath, DiskError>> + Send;

    /// What there is on a block device, if there is such a device.
    ///
    /// # Errors
    /// [`DiskError`].
    fn device(
        &self,
        device: &DevicePath,
    ) -> impl Future<Output = Result<Option<BlockDevice>, DiskError>> + Send;

    /// The OSDs on all disks.
    ///
    /// # Errors
    /// [`DiskError`].
    fn osds(&self) -> impl Future<Output = Result<Vec<FoundOsd>, DiskError>> + Send;

    /// A volume group, if there is one of that name; never without LVM.
    ///
    /// # Errors
    /// [`DiskError`].
    fn volume_group(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<VolumeGroup>, DiskError>> + Send;

    /// Makes OSDs on a blank disk, and announces them to the cluster. They do not run yet.
    ///
    /// # Errors
    /// [`DiskError`]: some of them may be there then, and not whole.
    fn prepare(&self, osds: &NewOsds) -> impl Future<Output = Result<(), DiskError>> + Send;

    /// Makes an OSD on this machine ready to run; with LVM for good, and without until the machine is
    /// started anew. Its program is started by the unit `ceph-osd@N`.
    ///
    /// # Errors
    /// [`DiskError`].
    fn activate(&self, osd: &FoundOsd) -> impl Future<Output = Result<(), DiskError>> + Send;

    /// Makes a volume and moves the database of an OSD there, which does not run. A volume of that
    /// name is replaced.
    ///
    /// # Errors
    /// [`DiskError`]; [`DiskError::TakesLvm`].
    fn add_db(
        &self,
        osd: &FoundOsd,
        db: &LvName,
        size: Bytes,
    ) -> impl Future<Output = Result<(), DiskError>> + Send;

    /// Destroys everything on a disk.
    ///
    /// # Errors
    /// [`DiskError`]. A disk that something else than an OSD has open is left as it is.
    fn zap(&self, device: &DevicePath) -> impl Future<Output = Result<(), DiskError>> + Send;

    /// Removes a volume with what is on it. One that is not there is none.
    ///
    /// # Errors
    /// [`DiskError`]; [`DiskError::TakesLvm`].
    fn remove_volume(&self, volume: &LvName) -> impl Future<Output = Result<(), DiskError>> + Send;

    /// Makes one partition for LVM of a blank disk.
    ///
    /// # Errors
    /// [`DiskError`]; [`DiskError::TakesLvm`].
    fn partition(&self, device: &DevicePath) -> impl Future<Output = Result<(), DiskError>> + Send;

    /// Makes a volume group of a partition that is blank, or was meant to become one before.
    ///
    /// # Errors
    /// [`DiskError`]; [`DiskError::TakesLvm`].
    fn create_group(
        &self,
        name: &str,
        partition: &DevicePath,
    ) -> impl Future<Output = Result<(), DiskError>> + Send;
}

/// What is written at the beginning of a device of an OSD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    /// Whose it is.
    pub(crate) osd: Fsid,
    /// Whether the OSD was made to the end; only told by the device of its data.
    pub(crate) ready: bool,
}
