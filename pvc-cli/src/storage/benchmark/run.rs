//! `pvc storage benchmark run`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::{Consent, TaskWait};
use crate::shell::Shell;
use crate::wait;

/// Measure a pool.
///
/// This takes about ten minutes and as much of the storage's speed as it can get.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Pool to measure; 64 GiB of it are used meanwhile.
    pool: String,
    /// Name of the run; its time and node by default.
    #[arg(long)]
    name: Option<String>,
    /// How long each of its eight tests lasts; 75 seconds by default.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: Option<u32>,
    #[command(flatten)]
    wait: TaskWait,
    #[command(flatten)]
    consent: Consent,
}

impl Run {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Run a storage benchmark on pool \"{}\"", self.pool);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let request =
            call::storage::run_benchmark(&self.pool, self.name.as_deref(), self.seconds, &agreed);
        wait::task(&session, &request, self.wait.is_wanted()).await
    }
}
