//! `pvc storage volume add`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::shell::Shell;
use crate::storage::parse;

/// Make an empty volume.
#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    place: Place,
    /// Size with its unit of 1024, such as 10G; bytes without one.
    #[arg(value_parser = parse::size)]
    size: String,
    /// Make it also if the pool is then fuller than is safe.
    #[arg(short, long)]
    force: bool,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let Place { pool, name } = &self.place;
        session.tell(&call::storage::volume::add(pool, name, &self.size, self.force)).await
    }
}
