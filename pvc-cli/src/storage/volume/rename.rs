//! `pvc storage volume rename`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Rename a volume in its pool.
///
/// The definitions of VMs that use it are not changed.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    #[command(flatten)]
    place: Place,
    /// New name of the volume.
    new_name: String,
    #[command(flatten)]
    consent: Consent,
}

impl Rename {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Rename volume \"{}\" to \"{}\"", self.place, self.new_name);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let Place { pool, name } = &self.place;
        session.tell(&call::storage::volume::rename(pool, name, &self.new_name, &agreed)).await
    }
}
