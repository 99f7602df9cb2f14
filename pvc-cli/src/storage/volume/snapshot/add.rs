//! `pvc storage volume snapshot add`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::shell::Shell;

/// Make a snapshot of a volume.
#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    place: Place,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let (place, _) = self.place.named();
        session.tell(&call::storage::snapshot::add(&place)).await
    }
}
