//! The hosts' BMCs: OpenIPMI's simulator, wired to the hosts' real power.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::cgroup::Group;
use super::host::Host;
use super::layout::Lab;
use super::template::fill;
use super::{background, power, switch};
use crate::{say, wait};

/// The simulator's own port of a host, on the switch's loopback.
fn port(host: Host) -> u16 {
    6230 + u16::from(host.id())
}

/// Starts a BMC for each host, and the front that makes them quick, unless they run.
///
/// # Errors
/// When one cannot be started.
pub(crate) fn start(lab: &Lab, hosts: &[Host]) -> Result<()> {
    let group = Group::of_machinery(lab, "bmc");
    if group.is_populated() {
        return Ok(());
    }
    group.make()?;
    for host in hosts {
        start_one(lab, &group, *host)?;
    }
    let mut command = group.command();
    command
        .args(["setsid", "--fork", "nsenter", &switch::switch_entry(lab), "--"])
        .arg(lab.program())
        .args(["lab", "_bmc-front"])
        .args(hosts.iter().map(|host| format!("{}={}", host.bmc(), port(*host))));
    background::start(lab, command, "bmc-front")
}

fn start_one(lab: &Lab, group: &Group, host: Host) -> Result<()> {
    let dir = lab.host_run(host).join("bmc");
    fs::create_dir_all(dir.join("state"))?;
    let (name, id) = (host.to_string(), host.id().to_string());
    let (password, port) = (host.bmc_password(), port(host).to_string());
    let program = lab.program().display().to_string();
    let config = fill(
        include_str!("../../lab/bmc.conf"),
        &[
            ("host", &name),
            ("id", &id),
            ("password", &password),
            ("port", &port),
            ("program", &program),
        ],
    );
    fs::write(dir.join("lan.conf"), config)?;
    fs::write(dir.join("sim.emu"), include_str!("../../lab/bmc.emu"))?;
    let mut command = group.command();
    command
        .args(["setsid", "--fork", "nsenter", &switch::switch_entry(lab), "--"])
        .args(["ipmi_sim", "-n", "-c"])
        .arg(dir.join("lan.conf"))
        .arg("-f")
        .arg(dir.join("sim.emu"))
        .arg("-s")
        .arg(dir.join("state"));
    background::start(lab, command, &format!("{host}.bmc"))
}

/// What the simulator asks of a chassis: `get NAME...` or `set NAME VALUE...`.
///
/// The simulator waits for the end, so that a power-off has been done when it is acknowledged.
///
/// # Errors
/// When it asks for something that is not there, or the power does not obey.
pub(crate) fn chassis(lab: &Lab, host: Host, words: &[String]) -> Result<()> {
    if let Manner::Slow(by) = manner(lab, host) {
        wait::pass(by);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["get", names @ ..] => names.iter().try_for_each(|name| get(lab, host, name)),
        ["set", pairs @ ..] => pairs.chunks(2).try_for_each(|pair| match pair {
            [name, value] => set(lab, host, name, value),
            // `identify` has two values of which the second says nothing to us.
            lone => {
                say::note(&format!("ignored: {lone:?}"));
                Ok(())
            }
        }),
        other => bail!("the BMC asked {other:?}"),
    }
}

/// How a BMC does what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// At once, and it tells what is so.
    Honest,
    /// Not at all, but it acknowledges, and says of the power what it was told last.
    Lying,
    /// Each question and command so much later.
    Slow(Duration),
}

/// How a host's BMC does what it is told.
pub(crate) fn manner(lab: &Lab, host: Host) -> Manner {
    let text = fs::read_to_string(manner_file(lab, host)).unwrap_or_default();
    let mut words = text.split_whitespace();
    match (words.next(), words.next().and_then(|millis| millis.parse().ok())) {
        (Some("lying"), _) => Manner::Lying,
        (Some("slow"), Some(millis)) => Manner::Slow(Duration::from_millis(millis)),
        _ => Manner::Honest,
    }
}

/// Changes that.
///
/// # Errors
/// When it cannot be recorded.
pub(crate) fn set_manner(lab: &Lab, host: Host, manner: Manner) -> Result<()> {
    for file in [manner_file(lab, host), told_file(lab, host)] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    let text = match manner {
        Manner::Honest => return Ok(()),
        Manner::Lying => "lying".to_owned(),
        Manner::Slow(by) => format!("slow {}", by.as_millis()),
    };
    fs::write(manner_file(lab, host), text).context("cannot record how a BMC is")
}

fn manner_file(lab: &Lab, host: Host) -> PathBuf {
    lab.host_run(host).join("bmc/manner")
}

/// What a lying BMC was told last to do with the power.
fn told_file(lab: &Lab, host: Host) -> PathBuf {
    lab.host_run(host).join("bmc/told")
}

/// What a BMC says of its host's power.
fn says_on(lab: &Lab, host: Host) -> bool {
    let told = fs::read_to_string(told_file(lab, host)).ok();
    told.map_or_else(|| power::is_on(lab, host), |told| told == "1")
}

fn get(lab: &Lab, host: Host, name: &str) -> Result<()> {
    match name {
        "power" => say::data(&format!("power:{}", u8::from(says_on(lab, host)))),
        "boot" => say::data("boot:default"),
        other => bail!("a chassis has no `{other}`"),
    }
    Ok(())
}

fn set(lab: &Lab, host: Host, name: &str, value: &str) -> Result<()> {
    if manner(lab, host) == Manner::Lying {
        let told = if name == "power" { value } else { "1" };
        return fs::write(told_file(lab, host), told).context("cannot remember a lie");
    }
    match (name, value) {
        ("power", "0") => power::cut(lab, host),
        ("power", "1") => power::on(lab, host),
        ("reset", _) => power::reset(lab, host),
        ("shutdown", _) => power::press(lab, host),
        ("boot" | "identify", _) => Ok(()),
        (other, value) => bail!("a chassis cannot set `{other}` to `{value}`"),
    }
}
