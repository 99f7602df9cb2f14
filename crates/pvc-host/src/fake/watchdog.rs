//! A watchdog in memory, on tokio's clock.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::watchdog::whole_seconds;
use crate::{Watchdog, WatchdogError};

/// What the device is called in its errors.
const PATH: &str = "/dev/watchdog";

/// A watchdog device in memory. Clones are the same device.
#[derive(Clone, Debug, Default)]
pub struct FakeWatchdogDevice(Arc<Device>);

#[derive(Debug, Default)]
struct Device {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    absent: bool,
    held: bool,
    cannot_stop: bool,
    longest: Option<Duration>,
    armed: Option<Armed>,
    feeds: Vec<Instant>,
    fired: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    timeout: Duration,
    fed: Instant,
}

impl FakeWatchdogDevice {
    /// A device at rest.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the device away, or puts it back.
    pub fn set_absent(&self, absent: bool) {
        self.state().absent = absent;
    }

    /// Makes it a device that nothing stops once it is armed.
    pub fn set_cannot_stop(&self, cannot_stop: bool) {
        self.state().cannot_stop = cannot_stop;
    }

    /// Makes it a device that takes no timeout longer than this one.
    pub fn set_longest(&self, longest: Duration) {
        self.state().longest = Some(longest);
    }

    /// A program's door to the device. Only one program may hold it at a time; dropping the door
    /// is that program's death.
    #[must_use]
    pub fn open(&self) -> FakeWatchdog {
        FakeWatchdog { device: self.clone(), holds: false }
    }

    /// When it was fed, in order. Arming counts.
    #[must_use]
    pub fn feeds(&self) -> Vec<Instant> {
        self.state().feeds.clone()
    }

    /// Whether it runs, and has not fired.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        let mut state = self.state();
        state.look();
        state.armed.is_some()
    }

    /// Whether a program holds it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.state().held
    }

    /// When it is going to fire if nobody feeds it again.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.state().armed.map(|armed| armed.fed + armed.timeout)
    }

    /// When it fired, if it did. What is done to it after that has no effect: the machine is gone.
    #[must_use]
    pub fn fired(&self) -> Option<Instant> {
        let mut state = self.state();
        state.look();
        state.fired
    }

    /// Waits until it has fired and says when.
    pub async fn until_fired(&self) -> Instant {
        loop {
            // Before looking, so that no change in between is missed.
            let changed = self.0.changed.notified();
            if let Some(fired) = self.fired() {
                return fired;
            }
            match self.due() {
                Some(due) => {
                    // A change of the timeout can move the moment forth as well as back.
                    let _ = tokio::time::timeout_at(due, changed).await;
                }
                None => changed.await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Fires if the time for it has passed.
    fn look(&mut self) {
        if let Some(Armed { timeout, fed }) = self.armed
            && Instant::now() >= fed + timeout
        {
            self.fired = Some(fed + timeout);
            self.armed = None;
        }
    }

    fn feed(&mut self, timeout: Duration) {
        self.look();
        if self.fired.is_none() {
            let fed = Instant::now();
            self.armed = Some(Armed { timeout, fed });
            self.feeds.push(fed);
        }
    }
}

/// One program's door to a [`FakeWatchdogDevice`].
#[derive(Debug)]
pub struct FakeWatchdog {
    device: FakeWatchdogDevice,
    holds: bool,
}

impl Watchdog for FakeWatchdog {
    fn arm(&mut self, timeout: Duration) -> Result<Duration, WatchdogError> {
        let mut state = self.device.state();
        if state.absent && !self.holds {
            return Err(WatchdogError::Absent { path: path() });
        }
        if state.held && !self.holds {
            return Err(WatchdogError::Busy { path: path() });
        }
        let asked = whole_seconds(timeout);
        let taken = state.longest.map_or(asked, |longest| asked.min(longest));
        state.held = true;
        state.feed(taken);
        drop(state);
        self.holds = true;
        self.device.0.changed.notify_waiters();
        Ok(taken)
    }

    fn feed(&mut self) -> Result<(), WatchdogError> {
        if !self.holds {
            return Err(WatchdogError::NotArmed);
        }
        let mut state = self.device.state();
        if let Some(Armed { timeout, .. }) = state.armed {
            state.feed(timeout);
        }
        Ok(())
    }

    fn disarm(&mut self) -> Result<(), WatchdogError> {
        if !self.holds {
            return Ok(());
        }
        let mut state = self.device.state();
        if state.cannot_stop {
            return Err(WatchdogError::CannotStop { path: path() });
        }
        state.look();
        state.armed = None;
        state.held = false;
        self.holds = false;
        Ok(())
    }
}

impl Drop for FakeWatchdog {
    fn drop(&mut self) {
        if self.holds {
            self.device.state().held = false;
        }
    }
}

fn path() -> PathBuf {
    Path::new(PATH).to_owned()
}
