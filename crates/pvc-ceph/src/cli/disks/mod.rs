//! This machine's disks, by `ceph-volume`, LVM and what knows of block devices.
//!
//! A daemon that is killed may leave a program behind that still writes. So every program holds a
//! lock while it runs, and the daemon after looks at nothing before it has got it.

mod find;
mod look;
mod lvm;
mod make;

use std::path::PathBuf;
use std::time::Duration;

use pvc_command::{Command, CommandError, Output};

use crate::DiskError;

/// A machine with many disks, one of which does not answer at once.
const TO_LOOK: Duration = Duration::from_secs(60);

/// Writing the beginning of a large and slow disk, and Ceph's announcements.
const TO_ACT: Duration = Duration::from_secs(300);

/// Gone with the machine's run, as is what could hold it.
const LOCK: &str = "/run/lock/pvc-disks.lock";

/// What `flock` ends with when somebody else has the lock; no program here has it for its own.
const LOCKED: i32 = 97;

/// What it ends with when it cannot start a program.
const NOT_STARTED: i32 = 69;

/// How OSDs are put on disks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// On logical volumes, as PVC always did: several on a disk if wanted, with databases elsewhere
    /// if wanted.
    #[default]
    Lvm,
    /// On the disk itself, for machines without LVM. No unit activates such an OSD when the machine
    /// starts: `pvcnoded` does.
    Raw,
}

/// The disks of this machine, by its programs. Each run of one has a deadline, past which it is
/// killed.
#[derive(Clone, Debug)]
pub struct DisksCli {
    folder: Option<String>,
    layout: Layout,
    lock: PathBuf,
    to_look: Duration,
    to_act: Duration,
}

impl DisksCli {
    /// With this layout.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self { folder: None, layout, lock: LOCK.into(), to_look: TO_LOOK, to_act: TO_ACT }
    }

    /// Takes the programs from a directory rather than from `PATH`.
    #[must_use]
    pub fn programs_in(mut self, directory: &str) -> Self {
        self.folder = Some(directory.to_owned());
        self
    }

    /// Holds another lock than the machine's.
    #[must_use]
    pub fn lock(mut self, lock: impl Into<PathBuf>) -> Self {
        self.lock = lock.into();
        self
    }

    /// Gives each program this long.
    #[must_use]
    pub const fn limit(mut self, limit: Duration) -> Self {
        (self.to_look, self.to_act) = (limit, limit);
        self
    }

    async fn look(&self, program: &'static str, words: &[&str]) -> Result<Output, DiskError> {
        self.run(program, words, self.to_look).await
    }

    async fn act(&self, program: &'static str, words: &[&str]) -> Result<(), DiskError> {
        self.run(program, words, self.to_act).await.map(drop)
    }

    async fn run(
        &self,
        program: &'static str,
        words: &[&str],
        limit: Duration,
    ) -> Result<Output, DiskError> {
        let path =
            self.folder.as_ref().map_or_else(|| program.into(), |it| format!("{it}/{program}"));
        // It may wait for another one's end that long. What it leaves running itself shall not
        // hold the lock.
        let done = Command::new("flock", limit * 2)
            .args(["--exclusive", "--close", "--conflict-exit-code", &LOCKED.to_string()])
            .args(["--wait", &limit.as_secs().to_string()])
            .arg(&self.lock)
            .arg(path)
            .args(words)
            .env("LVM_SUPPRESS_FD_WARNINGS", "1")
            .run()
            .await;
        let command = || format!("{program} {}", words.join(" "));
        done.map_err(|error| failure(program, command(), limit, error))
    }

    /// As [`DisksCli::look`]; none if the program says no, or is not there.
    async fn ask(
        &self,
        program: &'static str,
        words: &[&str],
    ) -> Result<Option<String>, DiskError> {
        match self.look(program, words).await {
            Ok(answer) => Ok(Some(answer.stdout)),
            Err(DiskError::Refused { .. } | DiskError::Absent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Refuses what takes LVM where there is none.
    const fn with_lvm(&self, what: &'static str) -> Result<(), DiskError> {
        match self.layout {
            Layout::Lvm => Ok(()),
            Layout::Raw => Err(DiskError::TakesLvm { what }),
        }
    }
}

fn failure(
    program: &'static str,
    command: String,
    limit: Duration,
    error: CommandError,
) -> DiskError {
    match error {
        CommandError::Failed { code: Some(LOCKED), .. } => DiskError::Busy { waited: limit },
        CommandError::Failed { code: Some(NOT_STARTED), stderr, .. }
            if stderr.contains("failed to execute") =>
        {
            DiskError::Absent { program }
        }
        CommandError::Failed { stderr, .. } => {
            DiskError::Refused { command, why: last_lines(&stderr) }
        }
        CommandError::TimedOut { waited, .. } => DiskError::NoAnswer { command, waited },
        CommandError::TooMuchOutput { .. } => DiskError::Unreadable { what: program },
        CommandError::Spawn { .. } | CommandError::Pipe { .. } | CommandError::Input { .. } => {
            DiskError::Failed { command, source: error }
        }
    }
}

/// `ceph-volume` tells all that it does before it tells what went wrong.
fn last_lines(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let errors: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("-->")).collect();
    let told = if errors.is_empty() { &lines } else { &errors };
    let last = &told[told.len().saturating_sub(2)..];
    last.iter().map(|line| line.trim()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured from ceph-volume 16.2.15 on a machine without udev.
    #[test]
    fn what_went_wrong_is_told_without_what_went_well() {
        let stderr = "Running command: /usr/bin/ceph-authtool --gen-print-key\n\n\
                      --> Executable udevadm not in PATH: /usr/sbin:/usr/bin\n\
                      -->  FileNotFoundError: [Errno 2] No such file or directory: 'udevadm'\n";
        let told = "Executable udevadm not in PATH: /usr/sbin:/usr/bin; FileNotFoundError: [Errno \
                    2] No such file or directory: 'udevadm'";
        assert_eq!(last_lines(stderr), told);
        assert_eq!(
            last_lines("lsblk: /dev/x: not a block device\n"),
            "lsblk: /dev/x: not a block device"
        );
        assert_eq!(last_lines(""), "");
    }
}
