//! `pvc storage volume clone`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::shell::Shell;

/// Copy a volume to a new one in the same pool.
#[derive(Debug, Args)]
pub(crate) struct Clone {
    #[command(flatten)]
    place: Place,
    /// Name of the copy.
    new_name: String,
    /// Copy it also if the pool is then fuller than is safe.
    #[arg(short, long)]
    force: bool,
}

impl Clone {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let Place { pool, name } = &self.place;
        session.tell(&call::storage::volume::clone(pool, name, &self.new_name, self.force)).await
    }
}
