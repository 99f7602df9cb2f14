//! `pvc storage volume resize`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;
use crate::storage::parse;

/// Make a volume larger.
#[derive(Debug, Args)]
pub(crate) struct Resize {
    #[command(flatten)]
    place: Place,
    /// New size with its unit of 1024, such as 10G; bytes without one.
    #[arg(value_parser = parse::size)]
    size: String,
    /// Resize it also if the pool is then fuller than is safe.
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Resize {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Resize volume \"{}\" to \"{}\"", self.place, self.size);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let Place { pool, name } = &self.place;
        let request = call::storage::volume::resize(pool, name, &self.size, self.force, &agreed);
        session.tell(&request).await
    }
}
