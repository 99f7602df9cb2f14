//! The light lab's processes: started in the background, and found again by their environment.
//!
//! Nothing is recorded that could be out of date. What a service starts, such as libvirt its QEMU,
//! has the same home, so that the end of the lab is the end of that, too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::super::background;
use super::super::layout::Lab;
use super::{account, place};
use crate::wait;

/// Names the service that a process is. What services start does not inherit it: libvirt clears
/// QEMU's environment.
const SERVICE: &str = "PVC_LAB_SERVICE";

const EVERY: Duration = Duration::from_millis(20);

/// How long a service that is replaced may take to end.
const END: Duration = Duration::from_secs(20);

/// How long the kernel may take to end what was killed.
const KILL: Duration = Duration::from_secs(10);

/// Something that runs on in the background.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// What it is called, in its log's name and for people.
    pub(crate) name: String,
    /// Its directory.
    pub(crate) home: PathBuf,
    /// Its program and arguments.
    pub(crate) argv: Vec<String>,
    /// Its environment, besides its home.
    pub(crate) env: Vec<(&'static str, String)>,
}

/// A process of the lab.
struct Process {
    pid: Pid,
    service: Option<String>,
}

/// Starts a service, unless it runs already and its program is still the same.
///
/// # Errors
/// When it cannot be started, or the old one does not end.
pub(crate) fn ensure(lab: &Lab, service: &Service) -> Result<()> {
    if let Some(pid) = running(lab, &service.name)? {
        if is_current(pid) {
            return Ok(());
        }
        signal(pid, Signal::SIGTERM)?;
        wait::until(&format!("the old {} to end", service.name), END, EVERY, || {
            Ok((running(lab, &service.name)? != Some(pid)).then_some(()))
        })?;
    }
    // By its path, for the service's own PATH is not ours.
    let mut command = Command::new("/usr/bin/setsid");
    command
        .arg("--fork")
        .args(&service.argv)
        .env_clear()
        .env("HOME", &service.home)
        .env(SERVICE, &service.name)
        .envs(service.env.iter().map(|(key, value)| (key, value)));
    account::take_on(&mut command)?;
    background::start(lab, command, &service.name)
}

/// The process that is this service, if it runs.
///
/// # Errors
/// When the machine's processes cannot be listed.
pub(crate) fn running(lab: &Lab, service: &str) -> Result<Option<Pid>> {
    let found = all(lab)?.into_iter().find(|seen| seen.service.as_deref() == Some(service));
    Ok(found.map(|seen| seen.pid))
}

/// Kills everything the lab has started, and what that has started.
///
/// # Errors
/// When something does not end.
pub(crate) fn end_all(lab: &Lab) -> Result<()> {
    wait::until("the lab's processes to end", KILL, EVERY, || {
        let left = all(lab)?;
        for process in &left {
            signal(process.pid, Signal::SIGKILL)?;
        }
        Ok(left.is_empty().then_some(()))
    })
}

/// All processes of the lab, but those of other people, and those that have ended.
fn all(lab: &Lab) -> Result<Vec<Process>> {
    let homes = place::homes(lab);
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot list the processes")? {
        let entry = entry?;
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // The environment of what has ended is empty, that of other people closed.
        let (Some(number), Ok(bytes)) = (number, fs::read(entry.path().join("environ"))) else {
            continue;
        };
        let environ = String::from_utf8_lossy(&bytes);
        let variables: BTreeMap<&str, &str> =
            environ.split('\0').filter_map(|line| line.split_once('=')).collect();
        if variables
            .get("HOME")
            .is_some_and(|home| homes.iter().any(|ours| ours == Path::new(home)))
        {
            let service = variables.get(SERVICE).map(|&name| name.to_owned());
            found.push(Process { pid: Pid::from_raw(number), service });
        }
    }
    Ok(found)
}

/// Whether the program a process runs is still the one on disk.
fn is_current(pid: Pid) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program.exists())
}

fn signal(pid: Pid, signal: Signal) -> Result<()> {
    match kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot end process {pid}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::home;
    use super::*;

    fn sleeper(lab: &Lab, name: &str) -> Service {
        let argv = ["sleep", "60"].map(str::to_owned).to_vec();
        Service { name: name.to_owned(), home: home(lab, "hv1"), argv, env: Vec::new() }
    }

    #[test]
    fn a_service_is_started_once_and_nothing_outlives_the_lab() {
        let dir = tempfile::tempdir().unwrap();
        let lab = Lab::light_at(dir.path().join("lab")).unwrap();
        fs::create_dir_all(lab.logs()).unwrap();
        let (first, second) = (sleeper(&lab, "first"), sleeper(&lab, "second"));
        ensure(&lab, &first).unwrap();
        let pid = running(&lab, "first").unwrap();
        assert!(pid.is_some());
        ensure(&lab, &first).unwrap();
        assert_eq!(running(&lab, "first").unwrap(), pid);
        ensure(&lab, &second).unwrap();
        assert_ne!(running(&lab, "second").unwrap(), pid);
        end_all(&lab).unwrap();
        assert!(all(&lab).unwrap().is_empty());
    }
}
