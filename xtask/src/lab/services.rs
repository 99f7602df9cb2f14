//! The services below PVC: ZooKeeper's ensemble and each host's libvirt.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::host::{Host, Network};
use super::layout::Lab;
use super::{each, enter, identity};
use crate::wait;

const EVERY: Duration = Duration::from_millis(300);

/// How long libvirt's first look at QEMU may take: 6 s on an idle machine, for each host.
const PROBE: Duration = Duration::from_secs(120);

/// Waits until the whole ensemble serves: one leader, the others following.
///
/// # Errors
/// When it does not within 90 s.
pub(crate) fn await_zookeeper(lab: &Lab, hosts: &[Host]) -> Result<()> {
    each::host(identity::coordinators(hosts), |host| {
        let what = format!("ZooKeeper on {host} to serve");
        wait::until(&what, Duration::from_secs(90), EVERY, || {
            Ok(zookeeper_mode(lab, host)?.map(drop))
        })
    })
}

/// What a host's ZooKeeper is: `leader`, `follower`, `standalone`; nothing while it does not serve.
fn zookeeper_mode(lab: &Lab, host: Host) -> Result<Option<String>> {
    let address = Network::Cluster.of(host).to_string();
    let asked = enter::run(lab, host, ["nc", "-w2", &address, "2181"])?
        .input("srvr")
        .limit(Duration::from_secs(5))
        .finish()?;
    let mode = asked.stdout.lines().find_map(|line| line.strip_prefix("Mode: "));
    Ok(mode.map(str::to_owned))
}

/// Waits until every host's libvirt answers its neighbours and knows what its QEMU can do.
///
/// # Errors
/// When one does not in time.
pub(crate) fn await_libvirt(lab: &Lab, hosts: &[Host]) -> Result<()> {
    each::host(hosts, |host| await_one_libvirt(lab, host))
}

fn await_one_libvirt(lab: &Lab, host: Host) -> Result<()> {
    let uri = format!("qemu+tcp://{host}.{}/system", Network::Cluster.domain());
    let what = format!("libvirt on {host} to answer");
    let emulates = wait::until(&what, PROBE, EVERY, || {
        let asked = enter::run(lab, host, ["virsh", "-q", "-c", &uri, "domcapabilities"])?
            .args(["--virttype", "qemu", "--machine", "pc"])
            .limit(PROBE)
            .done()?;
        Ok(Some(asked.contains("<domain>qemu</domain>")))
    })?;
    ensure!(emulates, "libvirt on {host} knows no QEMU that emulates");
    Ok(())
}
