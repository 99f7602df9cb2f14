//! What may be asked of Ceph, and how it goes wrong.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use pvc_command::CommandError;
use pvc_common::id::{OsdId, PoolName, SnapshotId, VolumeId};
use pvc_common::state::OsdLoss;

use crate::{BlocklistEntry, Epoch, Lock};

/// Why Ceph did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CephError {
    /// Ceph's programs are not installed.
    #[error("`{program}` is not installed")]
    Absent {
        /// The missing program.
        program: &'static str,
    },
    /// It did not answer in time. What was asked may have been done, or may still be done.
    #[error("ceph did not answer `{command}` within {} ms", waited.as_millis())]
    NoAnswer {
        /// What was asked.
        command: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// There is no such image, or its pool is not there either.
    #[error("there is no image {image}")]
    NoImage {
        /// The image.
        image: VolumeId,
    },
    /// There is no such pool.
    #[error("there is no pool {pool}")]
    NoPool {
        /// The pool.
        pool: PoolName,
    },
    /// There is no such snapshot.
    #[error("there is no snapshot {snapshot}")]
    NoSnapshot {
        /// The snapshot.
        snapshot: SnapshotId,
    },
    /// There is no such OSD.
    #[error("there is no OSD {osd}")]
    NoOsd {
        /// The OSD.
        osd: OsdId,
    },
    /// There is one of that name already.
    #[error("{what} exists already")]
    Exists {
        /// What exists.
        what: String,
    },
    /// A program has it open, or it is protected.
    #[error("{what} is in use")]
    InUse {
        /// What is in use.
        what: String,
    },
    /// It would become smaller, and lose what is beyond its end.
    #[error("{what} is larger than that")]
    Shrinks {
        /// What would shrink.
        what: String,
    },
    /// What it was given to store could not be read to its end.
    #[error("what was to be stored broke off")]
    Input {
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// It refused.
    #[error("ceph refused `{command}`: {why}")]
    Refused {
        /// What was asked.
        command: String,
        /// Its reason.
        why: String,
    },
    /// It answered something that is not understood.
    #[error("the answer of ceph to `{what}` is not understood")]
    Unreadable {
        /// What was asked.
        what: String,
    },
    /// Its program could not be run.
    #[error("could not run `{command}`")]
    Failed {
        /// What was asked.
        command: String,
        /// What happened.
        #[source]
        source: CommandError,
    },
}

/// A Ceph cluster. Every command ends within its deadline, and every call may be repeated.
pub trait Ceph: Clone + Send + Sync + 'static {
    /// Shuts all clients at these addresses out for at least nine tenths of `expire` from now, and
    /// returns the epoch by which that is so. OSDs and monitors there are not affected.
    ///
    /// A client that was shut out gets errors for good, unless it slept through the whole time:
    /// such a one writes on when the entry is gone. So `expire` is longer than any host is left
    /// dead, and the entry is taken away by [`Ceph::unblocklist`] once that host has started anew.
    ///
    /// # Errors
    /// [`CephError`]: some of the addresses may be shut out then, but that is not known.
    fn blocklist(
        &self,
        addresses: &[IpAddr],
        expire: Duration,
    ) -> impl Future<Output = Result<Epoch, CephError>> + Send;

    /// Who is shut out. Ceph has entries of its own making as well.
    ///
    /// # Errors
    /// [`CephError`].
    fn blocklisted(&self) -> impl Future<Output = Result<Vec<BlocklistEntry>, CephError>> + Send;

    /// Lets the clients at these addresses in again. Entries for single clients there, as
    /// [`Ceph::remove_lock`] leaves, stay: those clients are gone.
    ///
    /// # Errors
    /// [`CephError`].
    fn unblocklist(
        &self,
        addresses: &[IpAddr],
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Counts OSDs as lost from now on, instead of after Ceph's own patience, so that what is written
    /// is held up by them no longer than it must.
    ///
    /// [`OsdLoss::Dead`] is for OSDs whose machine was proved dead: it skips the time, 16 s by default,
    /// for which a living one may still answer reads. One that lives after all comes back by itself
    /// within moments, either way. What was [`OsdLoss::Down`] may be called [`OsdLoss::Dead`] later.
    ///
    /// # Errors
    /// [`CephError`]. An OSD that does not exist is none.
    fn mark_down(
        &self,
        osds: &[OsdId],
        loss: OsdLoss,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// The locks on an image.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::NoImage`] if there is no such image.
    fn locks(&self, image: &VolumeId) -> impl Future<Output = Result<Vec<Lock>, CephError>> + Send;

    /// Takes a lock from its holder, and shuts that one client out. A lock that is gone already,
    /// or that has another holder by now, is left alone.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::NoImage`] if there is no such image.
    fn remove_lock(
        &self,
        image: &VolumeId,
        lock: &Lock,
    ) -> impl Future<Output = Result<(), CephError>> + Send;
}
