//! The hosts' hardware watchdogs: what `/dev/watchdog` is inside a host.
//!
//! Each is a process beside the host, so that it fires although everything in the host stands
//! still. It lives as long as one boot of the host: a host that reboots finds it at rest.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::cgroup::Group;
use super::host::Host;
use super::layout::Lab;
use super::{background, space};
use crate::wait;

const PROGRAM: &str = include_str!("../../lab/watchdog.py");

/// What the program calls the file it serves.
const FILE: &str = "watchdog";

/// How long Python may take to serve it on a busy machine.
const START: Duration = Duration::from_secs(20);

/// What a watchdog does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody has opened it, or whoever did has closed it as one should.
    Idle,
    /// It fires when it is not fed for so long.
    Armed(Duration),
    /// It was not, and the host's reset has begun.
    Fired,
}

/// Gives a host its watchdog, for this stretch of power.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn plug(lab: &Lab, host: Host, stretch: &str) -> Result<()> {
    unplug(lab, host)?;
    let (folder, program) = (folder(lab, host), lab.host_run(host).join("watchdog.py"));
    fs::create_dir_all(&folder)?;
    fs::write(&program, PROGRAM)?;
    let group = group(lab, host);
    group.make()?;
    let mut command = group.command();
    command
        .args(["setsid", "--fork", "nsenter", &space::entry(lab)?, "--"])
        .args(["/usr/bin/python3", "-B"])
        .args([&program, &folder, &state_file(lab, host)]);
    let firing = firing(lab, host, stretch)?;
    command.arg(firing.get_program()).args(firing.get_args());
    background::start(lab, command, &format!("{host}.watchdog"))?;
    let what = format!("the watchdog of {host}");
    wait::until(&what, START, Duration::from_millis(10), || {
        let served = space::inside(lab, ["test", "-e"])?.arg(file(lab, host)).succeeds()?;
        Ok(served.then_some(()))
    })
}

/// What an unfed watchdog runs: in a group of its own, for the watchdog itself ends with the power.
fn firing(lab: &Lab, host: Host, stretch: &str) -> Result<std::process::Command> {
    let group = Group::of_machinery(lab, "watchdogs-fired");
    group.make()?;
    let mut command = group.command();
    command.arg(lab.program()).args(["lab", "_watchdog", &host.to_string(), stretch]);
    Ok(command)
}

/// Takes a host's watchdog away; nothing happens when it has none.
///
/// # Errors
/// When it would not end.
pub(crate) fn unplug(lab: &Lab, host: Host) -> Result<()> {
    let group = group(lab, host);
    group.kill()?;
    group.remove()?;
    let folder = folder(lab, host);
    // What FUSE leaves of a server that was killed.
    if space::inside(lab, ["grep", "-q", &format!(" {} ", folder.display()), "/proc/mounts"])?
        .succeeds()?
    {
        space::inside(lab, ["umount", "--lazy"])?.arg(&folder).done()?;
    }
    match fs::remove_file(state_file(lab, host)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What a host's watchdog does; nothing for a host without power.
pub(crate) fn state(lab: &Lab, host: Host) -> Option<State> {
    parse(&fs::read_to_string(state_file(lab, host)).ok()?)
}

/// Where a host's watchdog is served, in the lab's mount namespace.
pub(crate) fn file(lab: &Lab, host: Host) -> PathBuf {
    folder(lab, host).join(FILE)
}

fn parse(line: &str) -> Option<State> {
    let mut words = line.split_whitespace();
    match (words.next()?, words.next().and_then(|seconds| seconds.parse().ok())) {
        ("idle", None) => Some(State::Idle),
        ("armed", Some(seconds)) => Some(State::Armed(Duration::from_secs(seconds))),
        ("fired", Some(_)) => Some(State::Fired),
        _ => None,
    }
}

fn folder(lab: &Lab, host: Host) -> PathBuf {
    lab.disk(host).join("watchdog")
}

fn state_file(lab: &Lab, host: Host) -> PathBuf {
    lab.host_run(host).join("watchdog")
}

fn group(lab: &Lab, host: Host) -> Group {
    Group::of_machinery(lab, &format!("watchdog-{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read() {
        assert_eq!(parse("idle\n"), Some(State::Idle));
        assert_eq!(parse("armed 10\n"), Some(State::Armed(Duration::from_secs(10))));
        assert_eq!(parse("fired 10\n"), Some(State::Fired));
        assert_eq!(parse("armed\n"), None);
    }
}
