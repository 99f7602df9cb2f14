//! The switch, the client and the cables between them and the hosts.
//!
//! The switch is a network namespace with one bridge per network; the BMCs answer on addresses of
//! its own. A host's cables are made when its power comes on and vanish when it is cut.

use std::path::Path;

use anyhow::{Context, Result};

use super::fault;
use super::host::{self, Host, Network};
use super::layout::Lab;
use crate::run::Run;

const SWITCH: &str = "switch";
const CLIENT: &str = "client";

/// Makes the switch and the client unless they are there.
///
/// # Errors
/// When the machine's kernel or tools refuse.
pub(crate) fn make(lab: &Lab, hosts: &[Host]) -> Result<()> {
    if exists(lab, SWITCH) {
        return Ok(());
    }
    add_namespace(lab, SWITCH)?;
    add_namespace(lab, CLIENT)?;
    batch(lab, SWITCH, &plan(lab, hosts)).context("cannot make the switch")?;
    batch(lab, CLIENT, &client_plan()).context("cannot make the client")?;
    fault::make_rules(lab)
}

/// Removes the switch, the client and every cable.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn remove(lab: &Lab) -> Result<()> {
    for part in [CLIENT, SWITCH] {
        remove_namespace(lab, part)?;
    }
    Ok(())
}

/// Gives a host a network namespace of its own, plugged into the three networks.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn plug(lab: &Lab, host: Host) -> Result<()> {
    let name = host.to_string();
    add_namespace(lab, &name)?;
    batch(lab, SWITCH, &cables(lab, host)).with_context(|| format!("cannot plug {host} in"))
}

/// Cuts a host's cables: from here on nobody hears from it, not even that it died.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn unplug(lab: &Lab, host: Host) -> Result<()> {
    for network in Network::ALL {
        let port = network.port(host);
        if in_netns(lab, SWITCH, ["ip", "link", "show", &port]).succeeds()? {
            in_netns(lab, SWITCH, ["ip", "link", "delete", &port]).done()?;
        }
    }
    Ok(())
}

/// Takes a host's network namespace away, and with it all it had configured.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn forget(lab: &Lab, host: Host) -> Result<()> {
    unplug(lab, host)?;
    remove_namespace(lab, &host.to_string())
}

/// A program that runs on the switch.
pub(crate) fn on_switch<'a>(lab: &Lab, argv: impl IntoIterator<Item = &'a str>) -> Run {
    in_netns(lab, SWITCH, argv)
}

/// The option that makes `nsenter` enter the switch.
pub(crate) fn switch_entry(lab: &Lab) -> String {
    entry(lab, SWITCH)
}

/// The option that makes `nsenter` enter the client.
pub(crate) fn client_entry(lab: &Lab) -> String {
    entry(lab, CLIENT)
}

/// The option that makes `nsenter` enter a host's network.
pub(crate) fn host_entry(lab: &Lab, host: Host) -> String {
    entry(lab, &host.to_string())
}

fn entry(lab: &Lab, of: &str) -> String {
    format!("--net=/run/netns/{}", lab.netns(of))
}

fn exists(lab: &Lab, of: &str) -> bool {
    Path::new("/run/netns").join(lab.netns(of)).exists()
}

fn in_netns<'a>(lab: &Lab, of: &str, argv: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(["nsenter", &entry(lab, of), "--"]).args(argv)
}

fn add_namespace(lab: &Lab, of: &str) -> Result<()> {
    Run::new(["ip", "netns", "add", &lab.netns(of)]).done()?;
    // Where the machine has br_netfilter, its bridges pass frames through the hosts' firewalls.
    let keys = ["iptables", "ip6tables", "arptables"];
    let settings = keys.map(|key| format!("net.bridge.bridge-nf-call-{key}=0"));
    in_netns(lab, of, ["sysctl", "--ignore", "-q", "-w"]).args(settings).done()?;
    Ok(())
}

fn remove_namespace(lab: &Lab, of: &str) -> Result<()> {
    if exists(lab, of) {
        Run::new(["ip", "netns", "delete", &lab.netns(of)]).done()?;
    }
    Ok(())
}

fn batch(lab: &Lab, of: &str, lines: &str) -> Result<()> {
    in_netns(lab, of, ["ip", "-batch", "-"]).input(lines).done().map(drop)
}

/// What `ip` does on the new switch.
///
/// The bridges have fixed hardware addresses: a bridge without one takes its lowest port's, so
/// the BMCs would vanish until ARP entries expire whenever a host comes or goes.
fn plan(lab: &Lab, hosts: &[Host]) -> String {
    let mut lines = String::from("link set lo up\n");
    for network in Network::ALL {
        let (segment, index) = (network.segment(), network.index());
        lines += &format!(
            "link add {segment} address 02:00:00:ff:00:0{index} type bridge forward_delay 0\n\
             link set {segment} up\n"
        );
    }
    let upstream = Network::Upstream.segment();
    lines += &format!("address add {}/24 dev {upstream}\n", host::gateway());
    for host in hosts {
        lines += &format!("address add {}/24 dev {upstream}\n", host.bmc());
    }
    lines += &format!(
        "link add client type veth peer name eth0 netns {}\n\
         link set client master {upstream} up\n",
        lab.netns(CLIENT)
    );
    lines
}

fn client_plan() -> String {
    format!("link set lo up\nlink set eth0 up\naddress add {}/24 dev eth0\n", host::client())
}

fn cables(lab: &Lab, host: Host) -> String {
    let mut lines = String::new();
    for network in Network::ALL {
        let (port, device) = (network.port(host), network.device());
        lines += &format!(
            "link add {port} type veth peer name {device} address 02:00:00:0{}:00:0{} netns {}\n\
             link set {port} master {} up\n",
            network.index(),
            host.id(),
            lab.netns(&host.to_string()),
            network.segment(),
        );
    }
    lines
}
