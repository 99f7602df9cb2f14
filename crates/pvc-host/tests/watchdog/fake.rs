//! The watchdog in memory keeps the contract, and tells more.

use std::time::Duration;

use pvc_host::fake::{FakeWatchdog, FakeWatchdogDevice};
use pvc_host::{Watchdog, WatchdogError};
use tokio::time::Instant;

use crate::{Mode, Site, State, cases};

impl Site for FakeWatchdogDevice {
    type Door = FakeWatchdog;

    fn open(&self) -> FakeWatchdog {
        Self::open(self)
    }

    fn state(&self) -> State {
        State {
            armed: self.is_armed(),
            held: self.is_held(),
            fired: self.fired().is_some(),
            feeds: self.feeds().len(),
        }
    }

    async fn until(&self, holds: impl Fn(State) -> bool + Send) {
        if !holds(self.state()) {
            self.until_fired().await;
        }
        assert!(holds(self.state()), "{:?}", self.state());
    }
}

#[tokio::test(start_paused = true)]
async fn a_watchdog_in_memory_keeps_the_contract() {
    cases::all(async |mode| {
        let device = FakeWatchdogDevice::new();
        match mode {
            Mode::Usual => {}
            Mode::Short => device.set_longest(Duration::from_secs(5)),
            Mode::Unstoppable => device.set_cannot_stop(true),
        }
        device
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_watchdog_in_memory_tells_when_it_fired() {
    let (device, began) = (FakeWatchdogDevice::new(), Instant::now());
    let mut door = device.open();
    door.arm(Duration::from_secs(4)).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    door.feed().unwrap();
    assert_eq!(device.due(), Some(began + Duration::from_secs(7)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    door.feed().unwrap();
    assert_eq!(device.fired(), Some(began + Duration::from_secs(7)), "fed too late");
    assert_eq!(device.feeds(), [began, began + Duration::from_secs(3)]);
    assert!(!device.is_armed());
}

#[tokio::test]
async fn a_machine_in_memory_may_have_no_watchdog() {
    let device = FakeWatchdogDevice::new();
    device.set_absent(true);
    let absent = device.open().arm(Duration::from_secs(5));
    assert!(matches!(absent, Err(WatchdogError::Absent { .. })), "{absent:?}");
}
