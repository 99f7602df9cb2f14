//! Bringing Ceph up on hosts that have booted.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::super::host::Host;
use super::super::identity::coordinators;
use super::super::layout::Lab;
use super::super::{each, enter};
use super::files::monitor_addresses;
use super::{FSID, osd, osd_fsid};
use crate::wait;

const START_MONITOR: &str = include_str!("../../../lab/ceph/start-monitor.sh");
const START_OSD: &str = include_str!("../../../lab/ceph/start-osd.sh");

/// How long the daemons may take to come together, on a busy machine.
const TOGETHER: Duration = Duration::from_secs(180);

/// How long one host may take to make and start its own.
const ONE: Duration = Duration::from_secs(120);

/// Each question costs a third of a second of a processor.
const EVERY: Duration = Duration::from_millis(500);

/// Makes and starts what is not there yet, and waits until all of it serves.
///
/// # Errors
/// When a daemon does not start, or the cluster does not come together in time.
pub(crate) fn start(lab: &Lab, hosts: &[Host]) -> Result<()> {
    let monitors = coordinators(hosts);
    let first = *hosts.first().context("a lab without hosts")?;
    let map = monitor_map(monitors);
    each::host(monitors, |host| {
        let words = ["sh", "-c", START_MONITOR, "sh"].iter().copied();
        let words: Vec<&str> = words.chain(map.iter().map(String::as_str)).collect();
        enter::run(lab, host, words)?.limit(ONE).done().map(drop)
    })?;
    wait_for(lab, first, "Ceph's monitors", &["quorum_status"], |answer| {
        answer["quorum_names"].as_array().map(Vec::len) == Some(monitors.len())
    })?;
    // One run of the program for all of them.
    let new: String =
        hosts.iter().map(|host| format!("osd new {} {}\n", osd_fsid(*host), osd(*host))).collect();
    enter::run(lab, first, ["ceph"])?.input(new).done()?;
    each::host(hosts, |host| {
        let (number, identity) = (osd(host).to_string(), osd_fsid(host));
        let words = ["sh", "-c", START_OSD, "sh", &number, &identity];
        enter::run(lab, host, words)?.limit(ONE).done().map(drop)
    })?;
    wait_for(lab, first, "Ceph's OSDs", &["osd", "stat"], |answer| {
        answer["num_up_osds"].as_u64() == u64::try_from(hosts.len()).ok()
    })?;
    wait_for(lab, first, "Ceph's manager", &["mgr", "stat"], |answer| answer["available"] == true)
}

/// What `monmaptool` is told.
fn monitor_map(monitors: &[Host]) -> Vec<String> {
    let mut words = vec!["--fsid".to_owned(), FSID.to_owned()];
    for host in monitors {
        words.extend(["--addv".to_owned(), host.to_string(), monitor_addresses(*host)]);
    }
    words
}

/// Waits until Ceph gives an answer that is as it should be.
fn wait_for(
    lab: &Lab,
    host: Host,
    what: &str,
    question: &[&str],
    is: impl Fn(&Value) -> bool,
) -> Result<()> {
    let command = ["ceph", "--connect-timeout", "10", "--format", "json"];
    let words: Vec<&str> = command.iter().chain(question).copied().collect();
    wait::until(&format!("{what} to serve"), TOGETHER, EVERY, || {
        let answer = enter::output(lab, host, &words)?;
        let value: Value = serde_json::from_str(&answer)?;
        if is(&value) { Ok(Some(())) } else { bail!("{}", answer.trim()) }
    })
}
