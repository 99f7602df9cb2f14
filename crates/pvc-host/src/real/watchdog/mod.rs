//! A watchdog of the kernel, `/dev/watchdog`.

mod ioctl;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;

use crate::watchdog::whole_seconds;
use crate::{Watchdog, WatchdogError};

/// Any byte but [`GOODBYE`] feeds.
const FOOD: &[u8] = b"\0";

/// Written right before closing, it tells the driver that the end is meant.
const GOODBYE: &[u8] = b"V";

/// The device, held from [`Watchdog::arm`] until [`Watchdog::disarm`].
///
/// Dropping it leaves an armed device armed.
#[derive(Debug)]
pub struct KernelWatchdog {
    path: PathBuf,
    held: Option<File>,
}

impl KernelWatchdog {
    /// Names the device; nothing is opened or armed yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), held: None }
    }

    /// The device, already open: as a former life of this program left it, and armed as it was.
    /// Neither fed nor asked anything yet.
    #[must_use]
    pub fn holding(path: impl Into<PathBuf>, device: File) -> Self {
        Self { path: path.into(), held: Some(device) }
    }

    /// The open device, to be kept open beyond the life of this program.
    #[must_use]
    pub fn device(&self) -> Option<BorrowedFd<'_>> {
        self.held.as_ref().map(File::as_fd)
    }

    /// Opening the device arms it, with the timeout that it had.
    fn open(&self) -> Result<File, WatchdogError> {
        let opened = OpenOptions::new().write(true).open(&self.path);
        opened.map_err(|source| {
            let path = self.path.clone();
            match source.raw_os_error().map(Errno::from_raw) {
                Some(Errno::ENOENT | Errno::ENODEV | Errno::ENXIO) => {
                    WatchdogError::Absent { path }
                }
                Some(Errno::EBUSY) => WatchdogError::Busy { path },
                _ => WatchdogError::Refused { path, what: "open", source },
            }
        })
    }

    /// Has an open device take a timeout.
    fn set(&self, device: &File, timeout: Duration) -> Result<Duration, WatchdogError> {
        if !ioctl::waits_for_goodbye(device).map_err(|errno| self.refused("describe", errno))? {
            return Err(WatchdogError::DisarmsItself { path: self.path.clone() });
        }
        let seconds = i32::try_from(whole_seconds(timeout).as_secs()).unwrap_or(i32::MAX);
        match ioctl::set_timeout(device, seconds) {
            // Some know one timeout only, and the next call tells which.
            Ok(()) | Err(Errno::EOPNOTSUPP | Errno::ENOTTY) => {}
            Err(errno) => return Err(self.refused("take a timeout", errno)),
        }
        let seconds = ioctl::timeout(device).map_err(|errno| self.refused("tell", errno))?;
        let taken = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
        let taken = taken.ok_or_else(|| self.refused("tell its timeout", Errno::ERANGE))?;
        self.write(device, FOOD, "be fed")?;
        Ok(Duration::from_secs(taken))
    }

    /// Disarms an open device, which is to be closed after.
    fn stop(&self, device: &File) -> Result<(), WatchdogError> {
        // A device that cannot be stopped takes its goodbye without a word and runs on when it is
        // closed. It says so only when it is told to stop by this call, which not all know.
        match ioctl::stop(device) {
            Err(Errno::EBUSY) => Err(WatchdogError::CannotStop { path: self.path.clone() }),
            Ok(()) | Err(_) => self.write(device, GOODBYE, "be disarmed"),
        }
    }

    fn write(
        &self,
        mut device: &File,
        word: &[u8],
        what: &'static str,
    ) -> Result<(), WatchdogError> {
        let path = || self.path.clone();
        device.write_all(word).map_err(|source| WatchdogError::Refused {
            path: path(),
            what,
            source,
        })
    }

    fn refused(&self, what: &'static str, errno: Errno) -> WatchdogError {
        let source = io::Error::from(errno);
        WatchdogError::Refused { path: self.path.clone(), what, source }
    }
}

impl Watchdog for KernelWatchdog {
    fn arm(&mut self, timeout: Duration) -> Result<Duration, WatchdogError> {
        if let Some(device) = &self.held {
            return self.set(device, timeout);
        }
        let device = self.open()?;
        match self.set(&device, timeout) {
            Ok(taken) => {
                self.held = Some(device);
                Ok(taken)
            }
            // Opened is armed, and nobody is going to feed it.
            Err(reason) => match self.stop(&device) {
                Ok(()) => Err(reason),
                Err(armed) => {
                    self.held = Some(device);
                    Err(armed)
                }
            },
        }
    }

    fn feed(&mut self) -> Result<(), WatchdogError> {
        let device = self.held.as_ref().ok_or(WatchdogError::NotArmed)?;
        self.write(device, FOOD, "be fed")
    }

    fn disarm(&mut self) -> Result<(), WatchdogError> {
        if let Some(device) = &self.held {
            self.stop(device)?;
            self.held = None;
        }
        Ok(())
    }
}
