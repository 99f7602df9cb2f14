//! What every watchdog does.

use std::time::Duration;

use pvc_host::{Watchdog, WatchdogError};

use crate::{LONG, Mode, Site};

/// All cases. Each has a device of its own.
pub(crate) async fn all<S: Site>(make: impl AsyncFn(Mode) -> S) {
    one_that_is_armed_is_fed_until_it_is_disarmed(make(Mode::Usual).await).await;
    one_whose_program_died_fires(make(Mode::Usual).await).await;
    one_that_is_fed_does_not_fire(make(Mode::Usual).await).await;
    two_programs_do_not_share_one(make(Mode::Usual).await).await;
    a_device_says_which_timeout_it_took(make(Mode::Short).await);
    one_that_nothing_stops_says_so(make(Mode::Unstoppable).await).await;
}

async fn one_that_is_armed_is_fed_until_it_is_disarmed(site: impl Site) {
    let mut door = site.open();
    assert!(!site.state().armed, "naming it arms nothing");
    assert!(matches!(door.feed(), Err(WatchdogError::NotArmed)));
    door.disarm().unwrap();

    assert_eq!(door.arm(LONG).unwrap(), LONG);
    let armed = site.state();
    assert!(armed.armed && armed.held && !armed.fired);
    door.feed().unwrap();
    assert_eq!(site.state().feeds, armed.feeds + 1);
    let part = Duration::from_millis(89_001);
    assert_eq!(door.arm(part).unwrap(), Duration::from_secs(90), "armed anew, in whole seconds");

    for _ in 0..2 {
        door.disarm().unwrap();
        site.until(|state| !state.armed && !state.held).await;
    }
    assert!(matches!(door.feed(), Err(WatchdogError::NotArmed)));
    assert_eq!(door.arm(LONG).unwrap(), LONG, "it can be armed again");
}

async fn one_whose_program_died_fires(site: impl Site) {
    let mut door = site.open();
    door.arm(LONG).unwrap();
    drop(door);
    site.until(|state| !state.held).await;
    assert!(site.state().armed, "a program that dies does not disarm it");

    // The program is started again and dies again.
    let mut door = site.open();
    assert_eq!(door.arm(Duration::ZERO).unwrap(), Duration::from_secs(1));
    drop(door);
    site.until(|state| state.fired).await;
}

async fn one_that_is_fed_does_not_fire(site: impl Site) {
    let mut door = site.open();
    door.arm(Duration::from_secs(20)).unwrap();
    let began = tokio::time::Instant::now();
    // Longer than a timeout of one second, which it no longer has, or not yet.
    while began.elapsed() < Duration::from_millis(1_500) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        door.feed().unwrap();
    }
    assert!(!site.state().fired);
    door.arm(Duration::from_secs(1)).unwrap();
    site.until(|state| state.fired).await;
}

async fn two_programs_do_not_share_one(site: impl Site) {
    let (mut first, mut second) = (site.open(), site.open());
    first.arm(LONG).unwrap();
    let busy = second.arm(LONG);
    assert!(matches!(busy, Err(WatchdogError::Busy { .. })), "{busy:?}");
    drop(second);
    assert!(site.state().armed && site.state().held, "the one who has it still has it");
    first.disarm().unwrap();
    site.until(|state| !state.held).await;
    let mut third = site.open();
    third.arm(LONG).unwrap();
    third.disarm().unwrap();
}

fn a_device_says_which_timeout_it_took(site: impl Site) {
    let mut door = site.open();
    assert_eq!(door.arm(LONG).unwrap(), Duration::from_secs(5));
    assert_eq!(door.arm(Duration::from_secs(2)).unwrap(), Duration::from_secs(2));
}

async fn one_that_nothing_stops_says_so(site: impl Site) {
    let mut door = site.open();
    door.arm(LONG).unwrap();
    let refused = door.disarm();
    assert!(matches!(refused, Err(WatchdogError::CannotStop { .. })), "{refused:?}");
    let before = site.state();
    assert!(before.armed && before.held);
    door.feed().unwrap();
    assert_eq!(site.state().feeds, before.feeds + 1, "it is fed on");
    drop(door);
    site.until(|state| !state.held).await;
    assert!(site.state().armed);
}
