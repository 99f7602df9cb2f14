//! Filling volumes from files that people have.
//!
//! A file is received into an image of its own beside the volume, looked at there, and only then
//! written into the volume: until then nothing has happened to that.

use std::fmt;
use std::future::Future;

use pvc_common::id::VolumeId;
use pvc_common::unit::Bytes;
use tokio::io::AsyncRead;

use crate::CephError;

/// How a file holds a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// Byte by byte.
    Raw,
    /// QEMU's.
    Qcow2,
    /// VMware's, in a single file.
    Vmdk,
    /// An older one of QEMU's.
    Qed,
    /// VirtualBox's.
    Vdi,
    /// Virtual PC's, also called VHD.
    Vpc,
}

impl ImageFormat {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Raw, Self::Qcow2, Self::Vmdk, Self::Qed, Self::Vdi, Self::Vpc];

    /// Its name, which is that of QEMU's driver.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Qed => "qed",
            Self::Vdi => "vdi",
            Self::Vpc => "vpc",
        }
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// What a file that was received says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// How large the disk is that it holds.
    pub size: Bytes,
    /// Other files that it refers to, of which it holds only a part. They would be looked for on
    /// this machine, and need not be the sender's.
    pub refers_to: Vec<String>,
    /// Whether what it holds can only be read with a secret.
    pub encrypted: bool,
}

/// Filling the volumes of a Ceph cluster. One volume is filled by one caller at a time.
///
/// Every call ends: one that goes through data takes as long as that takes, unless it stands still.
pub trait Uploads: Clone + Send + Sync + 'static {
    /// Takes in a file to be written into a volume. What an earlier one left is removed before.
    ///
    /// However this ends, [`Uploads::discard`] has to follow at some time.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::InUse`] if a program has the volume open: then the file is not
    /// even begun. [`CephError::Input`] if the file broke off.
    fn receive(
        &self,
        volume: &VolumeId,
        file: &mut (dyn AsyncRead + Send + Unpin),
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Looks at the file that was received for a volume; it is opened as of this format, never as
    /// what it looks like.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::Refused`] if it is not of this format.
    fn received(
        &self,
        volume: &VolumeId,
        format: ImageFormat,
    ) -> impl Future<Output = Result<Received, CephError>> + Send;

    /// Writes what was received into its volume, which must be as large at least. What is beyond
    /// it stays.
    ///
    /// # Errors
    /// [`CephError`]: but for [`CephError::InUse`] and [`CephError::Absent`] the volume may hold a
    /// part of the new beside a part of the old.
    fn fill(
        &self,
        volume: &VolumeId,
        format: ImageFormat,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Removes what was received for a volume, be it whole or not. None is none.
    ///
    /// # Errors
    /// [`CephError`].
    fn discard(&self, volume: &VolumeId) -> impl Future<Output = Result<(), CephError>> + Send;
}
