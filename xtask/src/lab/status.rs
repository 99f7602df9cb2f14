//! `lab status`: what runs and what is broken on purpose.

use anyhow::Result;
use serde::Serialize;

use super::cgroup::Group;
use super::host::{Host, Network};
use super::layout::Lab;
use super::watchdog::{self, State};
use super::{bmc, enter, fault, loss, power};
use crate::say;

/// A lab as `lab status --json` tells it.
#[derive(Debug, Serialize)]
struct Status {
    name: String,
    up: bool,
    /// Whether the hosts have a Ceph.
    ceph: bool,
    /// Whether the coordinators have a database.
    database: bool,
    /// Where the client finds its connection.
    client: String,
    /// What the hosts see as `/var/lib/pvc-shared`.
    shared: String,
    hosts: Vec<HostStatus>,
}

/// One host.
#[derive(Debug, Serialize)]
struct HostStatus {
    name: String,
    /// `on` or `off`.
    power: &'static str,
    frozen: bool,
    /// The machine's process that is process 1 inside.
    leader: Option<u32>,
    upstream: String,
    cluster: String,
    storage: String,
    bmc: String,
    bmc_reachable: bool,
    /// `honest`, `lying` or `slow`.
    bmc_manner: &'static str,
    /// `idle`, `armed` or `fired`; nothing without power.
    watchdog: Option<&'static str>,
    /// After how long unfed an armed one fires.
    watchdog_seconds: Option<u64>,
    /// The networks it is cut off from.
    partitioned: Vec<&'static str>,
    /// The hosts it does not hear.
    deaf_to: Vec<String>,
    /// How many percent of its packets are lost, each way.
    loss_percent: u8,
}

/// Prints the lab's state.
///
/// # Errors
/// When it cannot be seen.
pub(crate) fn run(lab: &Lab, as_json: bool) -> Result<()> {
    let status = look(lab)?;
    if as_json {
        say::data(&serde_json::to_string_pretty(&status)?);
    } else if status.up {
        status.hosts.iter().for_each(|host| say::data(&line(host)));
    } else {
        say::data("the lab is down");
    }
    Ok(())
}

fn look(lab: &Lab) -> Result<Status> {
    let up = lab.is_up();
    let hosts = if up { lab.hosts()? } else { Vec::new() };
    Ok(Status {
        name: lab.name().to_owned(),
        up,
        ceph: up && lab.has_storage(),
        database: up && lab.has_database(),
        client: lab.client().display().to_string(),
        shared: lab.shared().display().to_string(),
        hosts: hosts.into_iter().map(|host| look_at(lab, host)).collect::<Result<_>>()?,
    })
}

fn look_at(lab: &Lab, host: Host) -> Result<HostStatus> {
    let watchdog = watchdog::state(lab, host);
    let address = |network: Network| network.of(host).to_string();
    Ok(HostStatus {
        name: host.to_string(),
        power: if power::is_on(lab, host) { "on" } else { "off" },
        frozen: Group::of_host(lab, host).is_frozen(),
        leader: enter::leader(lab, host),
        upstream: address(Network::Upstream),
        cluster: address(Network::Cluster),
        storage: address(Network::Storage),
        bmc: host.bmc().to_string(),
        bmc_reachable: fault::bmc_is_up(lab, host)?,
        bmc_manner: match bmc::manner(lab, host) {
            bmc::Manner::Honest => "honest",
            bmc::Manner::Lying => "lying",
            bmc::Manner::Slow(_) => "slow",
        },
        watchdog: watchdog.map(|state| match state {
            State::Idle => "idle",
            State::Armed(_) => "armed",
            State::Fired => "fired",
        }),
        watchdog_seconds: watchdog.and_then(|state| match state {
            State::Armed(timeout) => Some(timeout.as_secs()),
            State::Idle | State::Fired => None,
        }),
        partitioned: fault::partitions(lab, host)?.into_iter().map(Network::name).collect(),
        deaf_to: fault::deaf_to(lab, host)?.iter().map(Host::to_string).collect(),
        loss_percent: loss::of(lab, host),
    })
}

/// One host for people: what is as it should be is not mentioned.
fn line(host: &HostStatus) -> String {
    let mut line = format!("{} {}", host.name, host.power);
    if host.power == "on" && host.leader.is_none() {
        line += ", booting";
    }
    if host.frozen {
        line += ", frozen";
    }
    if !host.partitioned.is_empty() {
        line += &format!(", cut off from {}", host.partitioned.join(" and "));
    }
    if !host.deaf_to.is_empty() {
        line += &format!(", does not hear {}", host.deaf_to.join(" and "));
    }
    if host.loss_percent > 0 {
        line += &format!(", loses {} %", host.loss_percent);
    }
    if host.bmc_manner != "honest" {
        line += &format!(", BMC {}", host.bmc_manner);
    }
    if let Some(seconds) = host.watchdog_seconds {
        line += &format!(", watchdog armed ({seconds} s)");
    }
    if host.watchdog == Some("fired") {
        line += ", watchdog fired";
    }
    if !host.bmc_reachable {
        line += ", BMC unreachable";
    }
    line
}
