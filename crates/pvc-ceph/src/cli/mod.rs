//! Ceph by its own programs, `ceph` and `rbd`, and QEMU's for files in other formats.

mod benchmark;
pub(crate) mod disks;
mod fence;
mod figures;
mod osds;
mod pools;
mod uploads;
mod volumes;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use pvc_command::{Command, CommandError, Output};
use pvc_common::id::{PoolName, SnapshotId, VolumeId};

use crate::CephError;
use crate::parse::{self, Refusal};

/// The programs wait five minutes for monitors that are silent; a fence has other ways to go. A
/// healthy cluster commits within a second.
const LIMIT: Duration = Duration::from_secs(2);

/// Ceph's programs on this machine. Each run of one has a deadline, past which it is killed.
#[derive(Clone, Debug)]
pub struct CephCli {
    ceph: String,
    rbd: String,
    rados: String,
    fio: String,
    qemu_img: String,
    conf: Option<PathBuf>,
    keyring: Option<PathBuf>,
    limit: Duration,
}

impl Default for CephCli {
    fn default() -> Self {
        let [ceph, rbd, rados, fio, qemu_img] =
            ["ceph", "rbd", "rados", "fio", "qemu-img"].map(str::to_owned);
        Self { ceph, rbd, rados, fio, qemu_img, conf: None, keyring: None, limit: LIMIT }
    }
}

impl CephCli {
    /// The cluster that this machine is configured for, with two seconds for each command.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The cluster of another configuration file.
    #[must_use]
    pub fn conf(mut self, conf: impl Into<PathBuf>) -> Self {
        self.conf = Some(conf.into());
        self
    }

    /// Another keyring than the one that the configuration means; but `qemu-img` takes that one.
    #[must_use]
    pub fn keyring(mut self, keyring: impl Into<PathBuf>) -> Self {
        self.keyring = Some(keyring.into());
        self
    }

    /// Gives each command this long.
    #[must_use]
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Takes the programs from a directory rather than from `PATH`.
    #[must_use]
    pub fn programs_in(mut self, directory: &str) -> Self {
        self.ceph = format!("{directory}/ceph");
        self.rbd = format!("{directory}/rbd");
        self.rados = format!("{directory}/rados");
        self.fio = format!("{directory}/fio");
        self.qemu_img = format!("{directory}/qemu-img");
        self
    }

    async fn ceph(&self, words: &[&str]) -> Result<Output, CephError> {
        self.run("ceph", &self.ceph, words, self.limit).await
    }

    /// Runs `rbd` on something, with the usual limit.
    async fn rbd(&self, of: impl Into<Subject<'_>>, words: &[&str]) -> Result<Output, CephError> {
        self.rbd_within(self.limit, of, words).await
    }

    async fn rbd_within(
        &self,
        limit: Duration,
        of: impl Into<Subject<'_>>,
        words: &[&str],
    ) -> Result<Output, CephError> {
        match self.run("rbd", &self.rbd, words, limit).await {
            Err(CephError::Refused { command, why }) => Err(of.into().refused(command, why)),
            done => done,
        }
    }

    async fn run(
        &self,
        name: &'static str,
        program: &str,
        words: &[&str],
        limit: Duration,
    ) -> Result<Output, CephError> {
        self.run_with(name, program, words, None, limit).await
    }

    /// Runs a program that reads `input`, if it is given any.
    async fn run_with(
        &self,
        name: &'static str,
        program: &str,
        words: &[&str],
        input: Option<&str>,
        limit: Duration,
    ) -> Result<Output, CephError> {
        let mut command = self.command(program, words, limit);
        if let Some(input) = input {
            command = command.stdin(input);
        }
        let done = command.run().await;
        done.map_err(|error| failure(name, format!("{name} {}", words.join(" ")), error))
    }

    /// A program of Ceph's that is to be run on this cluster.
    fn command(&self, program: &str, words: &[&str], limit: Duration) -> Command {
        let files = [("--conf", &self.conf), ("--keyring", &self.keyring)];
        let files = files.into_iter().filter_map(|(option, file)| Some((option, file.as_ref()?)));
        let files = files.flat_map(|(option, file)| [OsString::from(option), file.into()]);
        Command::new(program, limit).args(files).args(words)
    }
}

/// What a command is about, by which its errors are told.
#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    Pool(&'a PoolName),
    Volume(&'a VolumeId),
    Snapshot(&'a SnapshotId),
}

impl<'a> From<&'a PoolName> for Subject<'a> {
    fn from(pool: &'a PoolName) -> Self {
        Self::Pool(pool)
    }
}

impl<'a> From<&'a VolumeId> for Subject<'a> {
    fn from(volume: &'a VolumeId) -> Self {
        Self::Volume(volume)
    }
}

impl<'a> From<&'a SnapshotId> for Subject<'a> {
    fn from(snapshot: &'a SnapshotId) -> Self {
        Self::Snapshot(snapshot)
    }
}

impl Subject<'_> {
    /// What it means that `rbd` refused.
    fn refused(self, command: String, why: String) -> CephError {
        let what = || match self {
            Self::Pool(pool) => pool.to_string(),
            Self::Volume(volume) => volume.to_string(),
            Self::Snapshot(snapshot) => snapshot.to_string(),
        };
        match (parse::refusal(&why), self) {
            (Refusal::NoPool | Refusal::NoImage | Refusal::NoSnapshot, Self::Pool(pool)) => {
                CephError::NoPool { pool: pool.clone() }
            }
            (Refusal::NoPool | Refusal::NoImage | Refusal::NoSnapshot, Self::Volume(volume)) => {
                CephError::NoImage { image: volume.clone() }
            }
            (Refusal::NoPool | Refusal::NoImage, Self::Snapshot(snapshot)) => {
                CephError::NoImage { image: snapshot.of.clone() }
            }
            (Refusal::NoSnapshot, Self::Snapshot(snapshot)) => {
                CephError::NoSnapshot { snapshot: snapshot.clone() }
            }
            (Refusal::Exists, _) => CephError::Exists { what: what() },
            (Refusal::InUse, _) => CephError::InUse { what: what() },
            (Refusal::Shrinks, _) => CephError::Shrinks { what: what() },
            (Refusal::Other, _) => CephError::Refused { command, why: parse::without_log(&why) },
        }
    }
}

fn unreadable(what: &str) -> CephError {
    CephError::Unreadable { what: what.to_owned() }
}

fn failure(program: &'static str, command: String, error: CommandError) -> CephError {
    match error {
        CommandError::Spawn { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            CephError::Absent { program }
        }
        CommandError::TimedOut { waited, .. } => CephError::NoAnswer { command, waited },
        CommandError::Failed { stderr, .. } => {
            CephError::Refused { command, why: stderr.trim().to_owned() }
        }
        CommandError::TooMuchOutput { .. } => CephError::Unreadable { what: command },
        CommandError::Input { source, .. } => CephError::Input { source },
        CommandError::Spawn { .. } | CommandError::Pipe { .. } => {
            CephError::Failed { command, source: error }
        }
    }
}
