//! Making the storage known to PVC: its OSDs, and a pool for VMs.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::super::host::{Host, Network};
use super::super::layout::Lab;
use super::super::{client, enter};
use super::{FSID, osd, osd_fsid};

/// The pool for VMs' volumes.
const POOL: &str = "vms";

/// Few: each costs every OSD something.
const PGS: &str = "16";

/// Tells PVC, once, of the OSDs that the lab has made, and has it make the pool.
///
/// # Errors
/// When the client is refused or ZooKeeper does not take the keys.
pub(crate) fn introduce(lab: &Lab, hosts: &[Host]) -> Result<()> {
    let osds: Vec<Value> = client::ask_json(lab, ["storage", "osd", "list"])?;
    if osds.is_empty() {
        register(lab, hosts)?;
    }
    let pools: Vec<Value> = client::ask_json(lab, ["storage", "pool", "list"])?;
    if pools.is_empty() {
        client::ask(lab, ["storage", "pool", "add", POOL, PGS])?;
    }
    Ok(())
}

/// Writes the keys that PVC would have written, had it made the OSDs: it makes them on devices, and
/// these are on files.
fn register(lab: &Lab, hosts: &[Host]) -> Result<()> {
    let first = *hosts.first().context("a lab without hosts")?;
    let server = format!("{}:2181", Network::Cluster.of(first));
    let keys: String = hosts.iter().map(|host| keys(*host)).collect();
    enter::run(lab, first, ["/usr/share/zookeeper/bin/zkCli.sh", "-server", &server])?
        .input(keys)
        .limit(Duration::from_secs(60))
        .done()
        .map(drop)
}

/// The commands that make the keys of a host's OSD.
fn keys(host: Host) -> String {
    let (number, fsid) = (osd(host), osd_fsid(host));
    let block = format!("/var/lib/ceph/osd/ceph-{number}/block");
    let node = host.to_string();
    let keys = [
        ("", ""),
        ("/node", node.as_str()),
        ("/device", &block),
        ("/db_device", ""),
        ("/fsid", ""),
        ("/fsid/osd", &fsid),
        ("/fsid/cluster", FSID),
        ("/lvm", ""),
        ("/lvm/vg", "none"),
        ("/lvm/lv", "none"),
        ("/is_split", "False"),
        ("/stats", "{}"),
    ];
    keys.iter()
        .map(|(suffix, value)| format!("create /ceph/osds/{number}{suffix} \"{value}\"\n"))
        .collect()
}
