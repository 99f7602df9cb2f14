//! `pvc storage pool add`.

use clap::{Args, ValueEnum};
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::word;
use crate::shell::Shell;
use crate::storage::parse;

/// Make a pool.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Name of the pool.
    name: String,
    /// Number of placement groups, a power of 2.
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pgs: u32,
    /// Devices that the pool uses.
    #[arg(short, long, value_enum, default_value = "default")]
    tier: Tier,
    /// How many copies there are of everything, and how many must be within reach to use it.
    #[arg(
        long, value_name = "REPLCFG", default_value = "copies=3,mincopies=2",
        value_parser = parse::replication
    )]
    replcfg: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tier {
    /// Any.
    Default,
    /// Rotating disks.
    Hdd,
    /// Solid-state disks.
    Ssd,
    /// Solid-state disks on NVMe.
    Nvme,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request =
            call::storage::pool::add(&self.name, self.pgs, &self.replcfg, &word(self.tier));
        session.tell(&request).await
    }
}
