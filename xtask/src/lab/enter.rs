//! Running commands inside a host, as somebody logged in there would.

use std::env;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::cgroup::Group;
use super::host::Host;
use super::layout::Lab;
use crate::run::{Finished, Run};
use crate::wait;

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command that runs `argv` inside a host, and dies with it.
///
/// # Errors
/// When the host is off, frozen or in the first moments of its boot.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(
    lab: &Lab,
    host: Host,
    argv: impl IntoIterator<Item = S>,
) -> Result<Command> {
    ensure!(
        !Group::of_host(lab, host).is_frozen(),
        "{host} is frozen: `cargo xtask lab thaw {host}` lets it go on"
    );
    let Some(leader) = leader(lab, host) else {
        bail!("{host} is off: `cargo xtask lab power {host} on` starts it");
    };
    let visitors = Group::of_visitors(lab, host);
    visitors.make()?;
    let mut command = visitors.command();
    command
        .args(["nsenter", "--target", &leader.to_string()])
        .args(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"])
        .args(["--root", "--wd", "--", "env", "--ignore-environment"])
        .args([PATH, "HOME=/root", "LANG=C.UTF-8"])
        .arg(format!("TERM={}", env::var("TERM").unwrap_or_else(|_| "dumb".to_owned())))
        .args(argv);
    Ok(command)
}

/// The same as a bounded run, whose output is captured.
///
/// # Errors
/// As [`command`].
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(
    lab: &Lab,
    host: Host,
    argv: impl IntoIterator<Item = S>,
) -> Result<Run> {
    let argv: Vec<S> = argv.into_iter().collect();
    let words: Vec<_> = argv.iter().map(|word| word.as_ref().to_string_lossy()).collect();
    let shown = format!("{} on {host}", words.join(" "));
    Ok(Run::of(command(lab, host, &argv)?).shown_as(shown))
}

/// Runs `argv` inside a host and returns its output.
///
/// # Errors
/// As [`command`], and when it fails or takes longer than 30 s.
pub(crate) fn output<S: AsRef<std::ffi::OsStr>>(
    lab: &Lab,
    host: Host,
    argv: impl IntoIterator<Item = S>,
) -> Result<String> {
    run(lab, host, argv)?.done()
}

/// Waits until a host has booted: all its units have started or failed.
///
/// # Errors
/// When it has not within 90 s.
pub(crate) fn booted(lab: &Lab, host: Host) -> Result<()> {
    let what = format!("{host} to boot");
    let every = Duration::from_millis(200);
    wait::until(&what, Duration::from_secs(90), every, || {
        let asked = run(lab, host, ["systemctl", "is-system-running"])?;
        let Finished { stdout, .. } = asked.limit(Duration::from_secs(10)).finish()?;
        // Degraded: some unit failed. Whoever needs it will say so better than we could here.
        Ok(matches!(stdout.trim(), "running" | "degraded").then_some(()))
    })
}

/// The process, as the machine sees it, that is process 1 inside a host.
pub(crate) fn leader(lab: &Lab, host: Host) -> Option<u32> {
    Group::of_host(lab, host)
        .processes("payload/init.scope")
        .into_iter()
        .find(|process| is_first_inside(*process))
}

fn is_first_inside(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/status")).is_ok_and(|status| {
        status.lines().any(|line| {
            line.strip_prefix("NSpid:")
                .is_some_and(|ids| ids.split_whitespace().next_back() == Some("1"))
        })
    })
}
