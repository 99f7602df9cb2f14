//! `pvc storage`: Ceph, which holds the VMs' disks.

mod benchmark;
mod osd;
mod parse;
mod pool;
mod stats;
mod text;
mod volume;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

/// What can be done with the storage.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Status(text::Status),
    Util(text::Util),
    /// Measurements of pools.
    #[command(subcommand)]
    Benchmark(benchmark::Verb),
    CreateDbVg(osd::CreateDbVg),
    /// OSDs: the devices that hold the data.
    #[command(subcommand)]
    Osd(osd::Verb),
    /// Pools of volumes.
    #[command(subcommand)]
    Pool(pool::Verb),
    /// Volumes: the disks of VMs.
    #[command(subcommand)]
    Volume(volume::Verb),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Status(verb) => verb.run(shell).await,
            Self::Util(verb) => verb.run(shell).await,
            Self::Benchmark(verb) => verb.run(shell).await,
            Self::CreateDbVg(verb) => verb.run(shell).await,
            Self::Osd(verb) => verb.run(shell).await,
            Self::Pool(verb) => verb.run(shell).await,
            Self::Volume(verb) => verb.run(shell).await,
        }
    }
}
