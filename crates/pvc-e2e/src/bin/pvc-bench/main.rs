//! `pvc-bench`: what the release build costs, measured on the real programs.
//!
//! Each group starts a ZooKeeper server of its own on loopback, fills it with a synthetic
//! cluster, and runs the daemons on it as an operator would, but for a hypervisor that only
//! imagines its VMs; `network` does so in a place without the machine's devices; `switch`, `failover`, `storage` and `needless` measure on a lab that is up. One JSON
//! object a line on stdout; progress on stderr.

mod api;
mod ceph;
mod cli;
mod cluster;
mod config;
mod daemon;
mod failover;
mod figure;
mod http;
mod memory;
mod needless;
mod network;
mod rig;
mod sample;
mod seed;
mod startup;
mod storage;
mod switch;
mod zookeeper;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures the release build; one JSON object a line.
#[derive(Parser)]
#[command(name = "pvc-bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// What to measure; everything that needs no lab, if nothing is named.
    #[command(subcommand)]
    group: Option<Group>,
}

#[derive(Subcommand)]
enum Group {
    /// Time from a session with ZooKeeper until a daemon serves.
    Startup,
    /// Time of requests to the API.
    Api,
    /// Time of whole commands.
    Cli,
    /// Resident memory of the daemons.
    Memory,
    /// Requests to ZooKeeper, by a node at rest and by a VM that changes.
    Zookeeper,
    /// Time until the VM of a node that lost power runs elsewhere, on a lab that is up.
    Failover(failover::Options),
    /// Time until the VM of a node that lost power writes to its volume elsewhere, and what Ceph is
    /// asked meanwhile, on a lab that is up with storage.
    Storage(ceph::Options),
    /// Nodes fenced that were alive, on a lab that is up.
    Needless(needless::Options),
    /// Time until a node has the devices of its networks, at start and after a change; needs root.
    Network,
    #[command(name = "_network", hide = true)]
    NetworkInside,
    /// What a change of the primary costs, on a lab that is up; not measured unless named.
    Switch(switch::Options),
    #[command(name = "_probe", hide = true)]
    Probe(switch::Probe),
    /// Fill a ZooKeeper with a synthetic cluster.
    Seed(seed::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().group {
        Some(Group::Startup) => startup::measure().await,
        Some(Group::Api) => api::measure().await,
        Some(Group::Cli) => cli::measure().await,
        Some(Group::Memory) => memory::measure().await,
        Some(Group::Zookeeper) => zookeeper::measure().await,
        Some(Group::Failover(options)) => failover::measure(options),
        Some(Group::Storage(options)) => {
            ceph::measure(options)?;
            api::volumes(10_000).await
        }
        Some(Group::Needless(options)) => needless::measure(options),
        Some(Group::Network) => network::measure(),
        Some(Group::NetworkInside) => network::inside().await,
        Some(Group::Switch(options)) => switch::measure(&options),
        Some(Group::Probe(probe)) => switch::probe(&probe),
        Some(Group::Seed(options)) => seed::run(options).await,
        None => {
            startup::measure().await?;
            api::measure().await?;
            cli::measure().await?;
            memory::measure().await?;
            zookeeper::measure().await
        }
    }
}
