//! Networks of VMs: how soon a node that starts has their devices, and how soon a change is in force.
//!
//! In a network namespace of its own, so that nothing of the machine is touched, and where the daemon
//! finds no systemd whose services it would start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use pvc_common::id::Vni;
use pvc_common::state::NetworkType;
use pvc_common::zk::{Op, Seen, key};
use pvc_zk::{Settings, Tree, ZkTree};

use crate::config;
use crate::daemon::{Daemon, NETWORKS, SERVES, SESSION};
use crate::figure::{Case, progress};
use crate::rig::Rig;
use crate::sample::Summary;

/// As many as a large cluster has.
const COUNT: u32 = 500;
/// How often each change is measured.
const CHANGES: u32 = 20;
/// Keys that are written in one transaction.
const TOGETHER: usize = 200;

const START_GOAL_MS: f64 = 2_000.0;
const CHANGE_GOAL_MS: f64 = 50.0;

/// How long a change may take before it counts as not made.
const LIMIT: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// The commands that make the place.
const PLACE: &str = "mount -t sysfs sysfs /sys && ip link set lo up && \
    ip link add bench0 type veth peer name bench1 && ip link set bench1 up && \
    if [ -d /run/systemd ]; then mount -t tmpfs tmpfs /run/systemd; fi && exec \"$0\" _network";

/// Runs this program in such a place, and has it measure there.
pub(crate) fn measure() -> Result<()> {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "sh", "-c", PLACE]).arg(std::env::current_exe()?);
    let status = command.status().context("cannot start `unshare`")?;
    ensure!(status.success(), "the measurement failed; it needs root and iproute2");
    Ok(())
}

/// Measures in a place that was made for it.
pub(crate) async fn inside() -> Result<()> {
    let rig = Rig::with(0).await?;
    let tree = ZkTree::connect(vec![rig.zookeeper.address()], Settings::default());
    progress(&format!("network: {COUNT} networks ..."));
    let ops: Vec<Op> = (1..=COUNT).map(make).collect::<Result<Vec<_>>>()?.concat();
    for some in ops.chunks(TOGETHER) {
        tree.commit(some.to_vec()).await?;
    }
    for case in ["start-500", "start-500-again"] {
        let daemon =
            rig.noded_by(&config::noded_with_networks(&rig.zookeeper.address(), rig.folder()))?;
        let took = devices_after(&daemon)?;
        ensure!(indices()?.len() > 2 * COUNT as usize, "not all networks are there");
        let goal = (case == "start-500").then_some(START_GOAL_MS);
        Case { bench: "network", case, goal }.time(took);
        if case != "start-500" {
            changes(&tree).await?;
        }
    }
    tree.close().await;
    Ok(())
}

/// How long a daemon took from its session with ZooKeeper until the networks were there: it reads the
/// tree meanwhile, too.
fn devices_after(daemon: &Daemon) -> Result<Duration> {
    let begun = daemon.said(SESSION)?;
    let there = daemon.said(NETWORKS)?;
    daemon.said(SERVES)?;
    Ok(there - begun)
}

fn vni(number: u32) -> Result<Vni> {
    Ok(number.to_string().parse()?)
}

/// A managed network as the API makes it, as far as devices go.
fn make(number: u32) -> Result<Vec<Op>> {
    let vni = vni(number)?;
    Ok(vec![
        key::network(vni).create(&format!("net{number}")),
        key::network_type(vni).create(&NetworkType::Managed),
        key::network_mtu(vni).create(&None),
    ])
}

/// One network among many is made, changed and removed.
async fn changes(tree: &ZkTree) -> Result<()> {
    let (mut made, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    let others = indices()?;
    for number in COUNT + 1..=COUNT + CHANGES {
        let (bridge, port) = (at(&format!("vmbr{number}")), at(&format!("vxlan{number}")));
        // The port is switched on last.
        let is_up = || read(&port.join("flags")).is_some_and(|flags| flags.ends_with('3'));
        made.push(timed(tree, make(number)?, is_up).await?);
        let mtu = key::network_mtu(vni(number)?);
        let entry = tree.get(mtu.path()).await?;
        let seen = Seen::read(entry.as_ref().map(|entry| (&entry.data[..], entry.version)));
        let is_smaller = || read(&bridge.join("mtu")).as_deref() == Some("1400");
        changed.push(timed(tree, vec![mtu.put(&seen, &Some(1400))], is_smaller).await?);
        let gone = || !bridge.exists() && !port.exists();
        removed.push(timed(tree, remove(tree, number).await?, gone).await?);
    }
    ensure!(indices()? == others, "devices of other networks were made anew");
    for (case, times) in [("make", made), ("change", changed), ("remove", removed)] {
        let name = format!("{case}-one-of-500");
        let goal = Some(CHANGE_GOAL_MS);
        Case { bench: "network", case: &name, goal }.time(Summary::of(times).p50);
    }
    Ok(())
}

async fn remove(tree: &ZkTree, number: u32) -> Result<Vec<Op>> {
    let vni = vni(number)?;
    let paths = [key::network_mtu(vni).into_path(), key::network_type(vni).into_path()];
    let paths: Vec<String> = paths.into_iter().chain([key::network(vni).into_path()]).collect();
    let entries = tree.get_many(&paths).await?;
    let delete = |(path, entry): (String, Option<pvc_zk::Entry>)| {
        entry.map(|entry| Op::Delete { path, version: entry.version })
    };
    Ok(paths.into_iter().zip(entries).filter_map(delete).collect())
}

/// From when a change is in the tree until it is in force.
async fn timed(tree: &ZkTree, ops: Vec<Op>, is_so: impl Fn() -> bool) -> Result<Duration> {
    tree.commit(ops).await?;
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > LIMIT {
            bail!("a change was not in force after {} s", LIMIT.as_secs());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(begun.elapsed())
}

fn at(device: &str) -> PathBuf {
    Path::new("/sys/class/net").join(device)
}

/// What the kernel says in a file; nothing of a device that is not there, or on its way out.
fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// Every device and its number, which another one of its name would not have.
fn indices() -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir("/sys/class/net")? {
        let entry = entry?;
        if let Some(index) = read(&entry.path().join("ifindex")) {
            found.insert(entry.file_name().to_string_lossy().into_owned(), index);
        }
    }
    Ok(found)
}
