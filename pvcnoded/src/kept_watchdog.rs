//! The watchdog device, kept open by the supervisor beyond this daemon's death.
//!
//! The kernel feeds an armed watchdog whenever it is closed, and a process that dies closes it: a
//! daemon that crashed while its node's time was running would prolong it. So systemd holds the
//! device, too (`FileDescriptorStoreMax=` of systemd.service(5)), and gives it to the next daemon,
//! which has not to open, and thereby to feed, it either. Without systemd this is a plain device.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use pvc_host::real::KernelWatchdog;
use pvc_host::{Watchdog, WatchdogError};
use sd_notify::NotifyState;

/// What systemd knows it by.
const NAME: &str = "watchdog";

/// A watchdog device that stays open when this daemon dies.
#[derive(Debug)]
pub(crate) struct KeptWatchdog {
    device: KernelWatchdog,
    kept: bool,
}

impl KeptWatchdog {
    /// The device that was kept for this daemon, or else one that is yet to be opened. To be
    /// called once: what was kept is taken.
    pub(crate) fn new(path: &Path) -> Self {
        match take() {
            Some(device) => Self { device: KernelWatchdog::holding(path, device), kept: true },
            None => Self { device: KernelWatchdog::new(path), kept: false },
        }
    }
}

impl Watchdog for KeptWatchdog {
    fn arm(&mut self, timeout: Duration) -> Result<Duration, WatchdogError> {
        let armed = self.device.arm(timeout);
        if let Some(device) = self.device.device().filter(|_| !self.kept) {
            // It has nothing to be polled for.
            let words = [NotifyState::FdStore, name(), NotifyState::Custom("FDPOLL=0")];
            match sd_notify::notify_with_fds(&words, &[device]) {
                Ok(()) => self.kept = true,
                Err(error) => tracing::warn!(%error, "nobody keeps the watchdog open"),
            }
        }
        armed
    }

    fn feed(&mut self) -> Result<(), WatchdogError> {
        self.device.feed()
    }

    fn disarm(&mut self) -> Result<(), WatchdogError> {
        self.device.disarm()?;
        forget();
        self.kept = false;
        Ok(())
    }
}

fn name() -> NotifyState<'static> {
    NotifyState::FdName(NAME)
}

/// Has systemd close the device, too; nothing happens where it does not hold it.
pub(crate) fn forget() {
    if let Err(error) = sd_notify::notify(&[NotifyState::FdStoreRemove, name()]) {
        tracing::warn!(%error, "the watchdog is still kept open");
    }
}

fn take() -> Option<File> {
    let mut given = match sd_notify::listen_fds_with_names() {
        Ok(given) => given,
        Err(error) => {
            tracing::warn!(%error, "what the supervisor kept cannot be taken");
            return None;
        }
    };
    let (descriptor, _) = given.find(|(_, name)| name == NAME)?;
    #[expect(unsafe_code, reason = "systemd passes a number")]
    // SAFETY: systemd opened it for this process (LISTEN_PID is checked), and this is called once.
    let device = unsafe { OwnedFd::from_raw_fd(descriptor) };
    Some(device.into())
}
