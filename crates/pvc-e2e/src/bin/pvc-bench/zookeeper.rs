//! What is asked of ZooKeeper: by a node at rest, and for a VM that changes its state.
//!
//! By the server's own counters, in windows of time: requests (packets received, pings
//! included) and transactions (the server's transaction number).

use std::time::Duration;

use anyhow::{Context, Result};
use pvc_client::{Client, Destructive, Endpoint, Scheme, call};
use pvc_zk::testing::ZooKeeperServer;

use crate::cluster::{Size, node_of, runs, vm_name};
use crate::figure::{Case, progress};
use crate::rig::{Api, Rig};

const VMS: usize = 82;
/// As the daemons are configured.
const INTERVAL: Duration = Duration::from_secs(5);
/// Intervals until a daemon does nothing any more that has to do with its start.
const SETTLING: u32 = 4;
/// Intervals of a window.
const WINDOW: u32 = 4;
/// How many VMs change in a window.
const CHANGES: usize = 20;

/// What the server has done so far, or in a window.
#[derive(Clone, Copy)]
struct Count {
    requests: f64,
    transactions: f64,
}

impl Count {
    fn less(self, other: Self) -> Self {
        Self {
            requests: self.requests - other.requests,
            transactions: self.transactions - other.transactions,
        }
    }

    fn tell(self, case: &str, per: f64) {
        let name = format!("{case}-requests");
        Case { bench: "zookeeper", case: &name, goal: None }.tell(self.requests / per, "requests");
        let name = format!("{case}-transactions");
        Case { bench: "zookeeper", case: &name, goal: None }
            .tell(self.transactions / per, "transactions");
    }
}

/// Measures every case of the group.
pub(crate) async fn measure() -> Result<()> {
    let rig = Rig::with(VMS).await?;
    let _noded = rig.serving_noded()?;
    progress("zookeeper: the node comes to rest ...");
    tokio::time::sleep(INTERVAL * SETTLING).await;
    progress("zookeeper: a node at rest ...");
    let rest = window(&rig.zookeeper, async { Ok(()) }).await?;
    rest.tell("keepalive", f64::from(WINDOW));
    let api = rig.api().await?;
    tokio::time::sleep(INTERVAL).await;
    progress("zookeeper: the node and the API at rest ...");
    let rest = window(&rig.zookeeper, async { Ok(()) }).await?;
    rest.tell("keepalive-with-api", f64::from(WINDOW));
    let client = client(&api)?;
    let size = Size::of_vms(VMS);
    let here: Vec<String> = (0..VMS)
        .filter(|n| node_of(*n, size) == 0 && runs(*n))
        .take(CHANGES)
        .map(vm_name)
        .collect();
    for verb in ["stop", "start"] {
        progress(&format!("zookeeper: {verb} {} VMs ...", here.len()));
        let changes = async {
            for vm in &here {
                let request = match verb {
                    "stop" => call::vm::stop(vm, false, &Destructive::agreed()),
                    _ => call::vm::start(vm, false),
                };
                client.send(&request).await?;
            }
            Ok(())
        };
        let busy = window(&rig.zookeeper, changes).await?;
        let count = u32::try_from(here.len())?;
        busy.less(rest).tell(&format!("vm-{verb}"), f64::from(count));
    }
    Ok(())
}

fn client(api: &Api) -> Result<Client> {
    let host = api.address.ip().to_string();
    let endpoint = Endpoint { scheme: Scheme::Http, host, port: api.address.port(), key: None };
    Ok(Client::new(endpoint, "pvc-bench")?)
}

/// What the server does in a window of time in which `work` is done.
async fn window(server: &ZooKeeperServer, work: impl Future<Output = Result<()>>) -> Result<Count> {
    // Asking counts too, so its cost is known from two questions at once.
    let earlier = count(server).await?;
    let before = count(server).await?;
    let asking = before.less(earlier);
    let (slept, worked) = tokio::join!(tokio::time::sleep(INTERVAL * WINDOW), work);
    let () = slept;
    worked?;
    Ok(count(server).await?.less(before).less(asking))
}

async fn count(server: &ZooKeeperServer) -> Result<Count> {
    let answer = server.ask("mntr").await?;
    let requests = answer
        .lines()
        .find_map(|line| line.strip_prefix("zk_packets_received"))
        .and_then(|rest| rest.trim().parse().ok())
        .context("the server counts no packets")?;
    let answer = server.ask("srvr").await?;
    let zxid = answer
        .lines()
        .find_map(|line| line.strip_prefix("Zxid: 0x"))
        .and_then(|rest| u32::from_str_radix(rest.trim(), 16).ok())
        .context("the server shows no transaction number")?;
    Ok(Count { requests, transactions: f64::from(zxid) })
}
