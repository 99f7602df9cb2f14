//! `pvc storage volume snapshot rename`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::shell::Shell;

/// Rename a snapshot.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    #[command(flatten)]
    place: Place,
    /// New name of the snapshot.
    new_name: String,
}

impl Rename {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let (place, _) = self.place.named();
        session.tell(&call::storage::snapshot::rename(&place, &self.new_name)).await
    }
}
