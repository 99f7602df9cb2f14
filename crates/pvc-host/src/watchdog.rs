//! The device that resets this machine unless it is told in time that all is well.
//!
//! ```text
//!              arm                      disarm
//!   at rest --------> armed ----------------------> at rest
//!                     |   ^ feed, arm   (CannotStop: stays armed)
//!                     |   '---'
//!                     |  not fed in time, whoever is alive
//!                     '--------------------------------> reset
//! ```
//!
//! Once armed, nothing but a disarm that succeeded takes it back: not the end of this program,
//! however it ends. Other nodes count on that when they take over what ran here.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a watchdog did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum WatchdogError {
    /// This machine has no such device.
    #[error("there is no watchdog {}", path.display())]
    Absent {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Somebody else holds it, as systemd does with `RuntimeWatchdogSec`.
    #[error("another program holds the watchdog {}", path.display())]
    Busy {
        /// The device.
        path: PathBuf,
    },
    /// It would be disarmed by this program's death, so that it protects from nothing.
    #[error("the watchdog {} disarms itself when its program ends", path.display())]
    DisarmsItself {
        /// The device.
        path: PathBuf,
    },
    /// It is not armed.
    #[error("the watchdog is not armed")]
    NotArmed,
    /// Its driver was loaded so that nothing stops it. It stays armed and wants to be fed.
    #[error("the watchdog {} cannot be stopped once it is armed", path.display())]
    CannotStop {
        /// The device.
        path: PathBuf,
    },
    /// The kernel refused.
    #[error("the watchdog {} refused to {what}", path.display())]
    Refused {
        /// The device.
        path: PathBuf,
        /// What was asked.
        what: &'static str,
        /// Its reason.
        #[source]
        source: io::Error,
    },
}

/// A watchdog of this machine.
///
/// The calls are quick on most devices, but a driver may take its time (a watchdog within a BMC
/// does): whoever must not wait calls them from a thread of their own.
pub trait Watchdog: Send + 'static {
    /// From now on the machine is reset when it is not fed for `timeout`, which is taken in whole
    /// seconds, rounded up, and at least one. Returns the time that the device really took:
    /// devices round, and some know only one.
    ///
    /// Feeds it, too. Arming what is armed changes the timeout.
    ///
    /// # Errors
    /// Nothing is armed then, unless it was before, or unless it cannot be stopped
    /// ([`WatchdogError::CannotStop`]).
    fn arm(&mut self, timeout: Duration) -> Result<Duration, WatchdogError>;

    /// All is well for another timeout.
    ///
    /// # Errors
    /// [`WatchdogError::NotArmed`], or the device's failure, upon which the machine may be reset.
    fn feed(&mut self) -> Result<(), WatchdogError>;

    /// Nobody resets the machine any more. Idempotent.
    ///
    /// # Errors
    /// It stays armed then, and must be fed on.
    fn disarm(&mut self) -> Result<(), WatchdogError>;
}

/// The shortest time in whole seconds that is not shorter than `timeout`.
pub(crate) fn whole_seconds(timeout: Duration) -> Duration {
    let up = u64::from(timeout.subsec_nanos() > 0);
    Duration::from_secs(timeout.as_secs().saturating_add(up).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_rounded_up_to_seconds() {
        for (asked_ms, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (9_000, 9)] {
            let taken = whole_seconds(Duration::from_millis(asked_ms));
            assert_eq!(taken, Duration::from_secs(seconds), "{asked_ms} ms");
        }
    }
}
