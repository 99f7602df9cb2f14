//! `lab status` of a light lab: its services, and which of them run.

use anyhow::Result;
use serde::Serialize;

use super::super::layout::Lab;
use super::{place, process, service};
use crate::say;

/// A light lab as `lab status --json` tells it.
#[derive(Debug, Serialize)]
struct Status {
    name: String,
    up: bool,
    light: bool,
    dir: String,
    /// Where the client finds its connection.
    client: String,
    services: Vec<ServiceStatus>,
}

/// One service.
#[derive(Debug, Serialize)]
struct ServiceStatus {
    name: String,
    /// Its process; none if it does not run.
    pid: Option<i32>,
    /// What it tells.
    log: String,
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
        let ports = place::ports(lab)?;
        say::data(&format!("a light lab in {}: no hosts, no networks", status.dir));
        say::data(&format!("the API is at http://127.0.0.1:{}", ports.api));
        status.services.iter().for_each(|service| say::data(&line(service)));
    } else {
        say::data("the lab is down");
    }
    Ok(())
}

fn look(lab: &Lab) -> Result<Status> {
    let up = lab.is_up();
    let nodes = if up { lab.hosts()? } else { Vec::new() };
    let services = if up { service::all(lab, &nodes) } else { Vec::new() };
    let services = services.into_iter().map(|service| {
        let pid = process::running(lab, &service.name)?;
        let log = lab.logs().join(&service.name).display().to_string();
        Ok(ServiceStatus { name: service.name, pid: pid.map(nix::unistd::Pid::as_raw), log })
    });
    Ok(Status {
        name: lab.name().to_owned(),
        up,
        light: true,
        dir: lab.dir().display().to_string(),
        client: lab.client().display().to_string(),
        services: services.collect::<Result<_>>()?,
    })
}

fn line(service: &ServiceStatus) -> String {
    match service.pid {
        Some(pid) => format!("{} runs, process {pid}, log {}", service.name, service.log),
        None => format!("{} does not run, log {}", service.name, service.log),
    }
}
