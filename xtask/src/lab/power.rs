//! A host's mains: on, cut, reset, and what a BMC or a person does with them.

use std::fs::{self, File};
use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use super::cgroup::Group;
use super::host::Host;
use super::layout::{self, Lab};
use super::{board, disk, enter, fault, spare, switch, watchdog};
use crate::{say, wait};

const OFF: &str = "off";

/// Names one stretch of power, from switching on to cutting.
///
/// A board whose stretch is over learns it from this, and leaves the host alone.
fn new_stretch() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("on-{}-{}", process::id(), now.unwrap_or_default().as_nanos())
}

/// Switches a host on; nothing happens when it is on. It has not booted yet on return.
///
/// # Errors
/// When its disk, network or process cannot be made.
pub(crate) fn on(lab: &Lab, host: Host) -> Result<()> {
    let _lock = lock(lab, host)?;
    switch_on(lab, host)
}

/// Cuts a host's power: silent first, then dead. Nothing of it runs on return.
///
/// # Errors
/// When something of it would not die or let go.
pub(crate) fn cut(lab: &Lab, host: Host) -> Result<()> {
    let _lock = lock(lab, host)?;
    switch_off(lab, host)
}

/// Cuts a host's power and gives it back at once.
///
/// # Errors
/// As [`cut`] and [`on`].
pub(crate) fn reset(lab: &Lab, host: Host) -> Result<()> {
    let _lock = lock(lab, host)?;
    switch_off(lab, host)?;
    switch_on(lab, host)
}

/// Resets a host because its watchdog, plugged for this stretch of power, was not fed in time.
///
/// Nothing happens when the stretch is over: then somebody cut the power just before.
///
/// # Errors
/// As [`reset`].
pub(crate) fn unfed(lab: &Lab, host: Host, stretch: &str) -> Result<()> {
    let _lock = lock(lab, host)?;
    if fs::read_to_string(state(lab, host))? != stretch {
        return Ok(());
    }
    switch_off(lab, host)?;
    say::note(&format!("{host} was cut off by its watchdog"));
    switch_on(lab, host)
}

/// Presses a host's power button: it shuts itself down, some time after return.
///
/// # Errors
/// When the host is off or frozen.
pub(crate) fn press(lab: &Lab, host: Host) -> Result<()> {
    enter::output(lab, host, ["systemctl", "--no-block", "poweroff"]).map(drop)
}

/// Presses a host's power button and waits until it is off.
///
/// # Errors
/// When it is not off within 90 s, or was off or frozen before.
pub(crate) fn off(lab: &Lab, host: Host) -> Result<()> {
    press(lab, host)?;
    let what = format!("{host} to shut down");
    let every = Duration::from_millis(100);
    wait::until(&what, Duration::from_secs(90), every, || Ok((!is_on(lab, host)).then_some(())))
}

/// Whether a host has power.
pub(crate) fn is_on(lab: &Lab, host: Host) -> bool {
    fs::read_to_string(state(lab, host)).is_ok_and(|state| state != OFF)
}

/// Cleans up after a host that ended by itself, and prepares its next boot if it asked for one.
///
/// Returns whether to boot it again: not when its power was cut meanwhile, for then whoever cut
/// it cleans up.
///
/// # Errors
/// When it cannot be cleaned up or prepared.
pub(crate) fn ended(lab: &Lab, host: Host, stretch: &str, reboots: bool) -> Result<bool> {
    let _lock = lock(lab, host)?;
    if fs::read_to_string(state(lab, host))? != stretch {
        return Ok(false);
    }
    clean(lab, host)?;
    if reboots {
        prepare(lab, host, stretch)?;
    } else {
        fs::write(state(lab, host), OFF)?;
    }
    Ok(reboots)
}

fn switch_on(lab: &Lab, host: Host) -> Result<()> {
    if is_on(lab, host) && board::group(lab, host).is_populated() {
        return Ok(());
    }
    clean(lab, host)?;
    let stretch = new_stretch();
    prepare(lab, host, &stretch)?;
    fs::write(state(lab, host), &stretch)?;
    board::start(lab, host, &stretch).with_context(|| format!("cannot switch {host} on"))
}

fn switch_off(lab: &Lab, host: Host) -> Result<()> {
    // Silence first, on all networks in one instant: a dying host's kernel would close its
    // connections and tell its peers, and taking cables away takes a while.
    fault::hang(lab, host)?;
    fs::write(state(lab, host), OFF)?;
    switch::unplug(lab, host)?;
    let group = Group::of_host(lab, host);
    if group.is_populated() {
        group.freeze()?;
    }
    group.kill()?;
    fault::unhang(lab, host)?;
    clean(lab, host)
}

/// Everything a boot needs.
fn prepare(lab: &Lab, host: Host, stretch: &str) -> Result<()> {
    disk::mount(lab, host)?;
    spare::plug(lab, host)?;
    watchdog::plug(lab, host, stretch)?;
    switch::plug(lab, host)?;
    Group::of_host(lab, host).make()
}

/// Takes away what an ended boot left.
fn clean(lab: &Lab, host: Host) -> Result<()> {
    switch::forget(lab, host)?;
    watchdog::unplug(lab, host)?;
    disk::unmount(lab, host)?;
    Group::of_host(lab, host).remove()
}

fn state(lab: &Lab, host: Host) -> std::path::PathBuf {
    lab.host_run(host).join("power")
}

/// Makes sure only one process at a time works on a host's power.
fn lock(lab: &Lab, host: Host) -> Result<File> {
    let dir = lab.host_run(host);
    fs::create_dir_all(&dir)?;
    let file = File::create(dir.join("lock"))?;
    let what = format!("whoever works on {host}'s power");
    layout::lock(&file, &what, Duration::from_secs(60))?;
    Ok(file)
}
