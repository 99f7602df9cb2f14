//! `lab status`: what runs and what is broken on purpose.

use anyhow::Result;
use serde::Serialize;

use super::cgroup::Group;
use super::host::{Host, Network};
use super::layout::Lab;
use super::{enter, fault, power};
use crate::say;

/// A lab as `lab status --json` tells it.
#[derive(Debug, Serialize)]
struct Status {
    name: String,
    up: bool,
    /// Where the client finds its connection.
    client: String,
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
    /// The networks it is cut off from.
    partitioned: Vec<&'static str>,
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
        client: lab.client().display().to_string(),
        hosts: hosts.into_iter().map(|host| look_at(lab, host)).collect::<Result<_>>()?,
    })
}

fn look_at(lab: &Lab, host: Host) -> Result<HostStatus> {
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
        partitioned: fault::partitions(lab, host)?.into_iter().map(Network::name).collect(),
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
    if !host.bmc_reachable {
        line += ", BMC unreachable";
    }
    line
}
