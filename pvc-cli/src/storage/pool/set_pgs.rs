//! `pvc storage pool set-pgs`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Change the number of a pool's placement groups, which moves its data.
#[derive(Debug, Args)]
pub(crate) struct SetPgs {
    /// Name of the pool.
    name: String,
    /// Number of placement groups, a power of 2.
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pgs: u32,
    #[command(flatten)]
    consent: Consent,
}

impl SetPgs {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question =
            format!("Set the placement groups of pool \"{}\" to {}", self.name, self.pgs);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::storage::pool::set_pgs(&self.name, self.pgs, &agreed)).await
    }
}
