//! Filling a ZooKeeper with a synthetic cluster.

use std::num::NonZeroUsize;

use anyhow::{Result, bail};
use clap::Args;
use pvc_common::zk::Op;
use pvc_zk::dump::{Dumped, restore};
use pvc_zk::{Settings, ZkTree};

use crate::cluster::{Size, cluster};
use crate::figure::progress;

/// What to fill, and with how much.
#[derive(Args)]
pub(crate) struct Options {
    /// How many nodes, `hv1` and so on.
    #[arg(long)]
    nodes: NonZeroUsize,
    /// How many VMs, dealt out to the nodes in turn.
    #[arg(long)]
    vms: usize,
    /// How many volumes, all in one pool.
    #[arg(long, default_value_t = 0)]
    volumes: usize,
    /// Members of the ensemble. What they hold is overwritten where it has the same name.
    #[arg(
        long,
        value_name = "HOST:PORT,...",
        value_delimiter = ',',
        default_value = "127.0.0.1:2181"
    )]
    hosts: Vec<String>,
}

/// Fills what the options name.
pub(crate) async fn run(options: Options) -> Result<()> {
    let size = Size { nodes: options.nodes.get(), vms: options.vms, volumes: options.volumes };
    fill(&options.hosts.join(","), size).await
}

/// Writes a cluster of this size.
pub(crate) async fn fill(hosts: &str, size: Size) -> Result<()> {
    let tree = ZkTree::connect(hosts.split(',').map(str::to_owned).collect(), Settings::default());
    let mut dump = Vec::new();
    for op in cluster(size)? {
        match op {
            Op::Create { path, data } => dump.push(Dumped { path, data }),
            Op::CreateEphemeral { path, .. }
            | Op::Set { path, .. }
            | Op::Delete { path, .. }
            | Op::Check { path, .. } => bail!("a new cluster has no reason to change {path}"),
        }
    }
    let mut told = 0;
    let outcome = restore(&tree, &dump, |progressed| {
        let tenth = progressed.done * 10 / progressed.total.max(1);
        if tenth > told {
            told = tenth;
            progress(&format!("  {} of {} keys", progressed.done, progressed.total));
        }
    })
    .await;
    tree.close().await;
    Ok(outcome?)
}
