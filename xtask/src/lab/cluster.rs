//! PVC on the hosts: an empty cluster, its nodes, and a first VM.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::guest::Kind;
use super::host::Host;
use super::layout::Lab;
use super::{client, enter, packages};
use crate::{say, wait};

const EVERY: Duration = Duration::from_millis(250);

/// How long the daemons may take to come together, on a busy machine.
const TOGETHER: Duration = Duration::from_secs(120);

/// How long a VM may take from the command to running.
const START: Duration = Duration::from_secs(60);

/// What the API tells of a node, as far as we ask.
#[derive(Debug, Deserialize)]
struct Node {
    name: String,
    daemon_state: String,
    domain_state: String,
}

/// What the API tells of a VM, as far as we ask.
#[derive(Debug, Deserialize)]
struct Vm {
    name: String,
    state: String,
}

/// Makes an empty cluster in ZooKeeper, once in the life of the hosts' disks.
///
/// # Errors
/// When the API's program refuses: it does where there is a cluster already.
pub(crate) fn initialise(lab: &Lab, hosts: &[Host]) -> Result<()> {
    let first = hosts.first().context("a lab without hosts")?;
    let done = lab.disk(*first).join("initialised");
    if done.exists() {
        return Ok(());
    }
    enter::run(lab, *first, ["pvcapid", "--initialize"])?.limit(Duration::from_secs(60)).done()?;
    fs::write(done, "").context("cannot record that there is a cluster")
}

/// Starts the daemons and waits until the API answers on the floating address and every node runs
/// and takes VMs.
///
/// # Errors
/// When a daemon does not start, or the cluster does not come together in time.
pub(crate) fn start(lab: &Lab, hosts: &[Host]) -> Result<()> {
    packages::start(lab, hosts)?;
    make_ready(lab, hosts)
}

/// Waits until every node runs, and makes those take VMs that do not.
///
/// # Errors
/// When the cluster does not come together in time.
pub(crate) fn make_ready(lab: &Lab, hosts: &[Host]) -> Result<()> {
    wait::until("every node to run", TOGETHER, EVERY, || {
        let nodes = nodes(lab)?;
        let runs = |host: &Host| is(&nodes, *host, |node| node.daemon_state == "run");
        told(&nodes, hosts.iter().all(runs))
    })?;
    for node in nodes(lab)? {
        if node.domain_state != "ready" {
            client::ask(lab, ["node", "ready", &node.name])?;
        }
    }
    wait::until("every node to take VMs", TOGETHER, EVERY, || {
        let nodes = nodes(lab)?;
        let ready = |host: &Host| is(&nodes, *host, |node| node.domain_state == "ready");
        told(&nodes, hosts.iter().all(ready))
    })
}

/// Defines and starts the first VM, unless it is there, and waits until it runs.
///
/// # Errors
/// When the client is refused or the VM does not start.
pub(crate) fn first_vm(lab: &Lab) -> Result<()> {
    let name = client::first_name(Kind::Tick);
    if state(lab, &name)?.is_some() {
        return Ok(());
    }
    let definition = client::definition(lab, Kind::Tick);
    client::ask(lab, ["vm", "define", &definition.display().to_string()])?;
    client::ask(lab, ["vm", "start", &name])?;
    wait::until(&format!("{name} to run"), START, EVERY, || match state(lab, &name)?.as_deref() {
        Some("start") => Ok(Some(())),
        other => bail!("its state is {other:?}"),
    })
}

/// Shows the cluster to whoever has just started it.
///
/// # Errors
/// When the client is refused.
pub(crate) fn show(lab: &Lab) -> Result<()> {
    for words in [["cluster", "status"], ["vm", "list"]] {
        say::data(client::ask(lab, words)?.trim_end());
        say::data("");
    }
    Ok(())
}

fn nodes(lab: &Lab) -> Result<Vec<Node>> {
    client::ask_json(lab, ["node", "list"])
}

fn state(lab: &Lab, vm: &str) -> Result<Option<String>> {
    let vms: Vec<Vm> = client::ask_json(lab, ["vm", "list"])?;
    let found = vms.into_iter().find(|seen| seen.name == vm);
    Ok(found.map(|vm| vm.state))
}

fn is(nodes: &[Node], host: Host, wanted: impl Fn(&Node) -> bool) -> bool {
    nodes.iter().any(|node| node.name == host.to_string() && wanted(node))
}

/// An answer for `wait::until` that says what was seen last when the wait is in vain.
fn told(nodes: &[Node], enough: bool) -> Result<Option<()>> {
    if enough {
        return Ok(Some(()));
    }
    let seen: Vec<String> = nodes
        .iter()
        .map(|node| format!("{} is {}, {}", node.name, node.daemon_state, node.domain_state))
        .collect();
    bail!("{}", seen.join("; "))
}
