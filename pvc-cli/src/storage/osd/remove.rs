//! `pvc storage osd remove`.

use clap::Args;
use pvc_client::call;
use pvc_common::id::OsdId;

use crate::failure::Outcome;
use crate::options::{Consent, TaskWait};
use crate::shell::Shell;
use crate::wait;

/// Remove an OSD and wipe its device.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// OSD, by its number.
    #[arg(value_name = "OSDID")]
    id: OsdId,
    /// Remove it also if its data is not safe elsewhere, and go on when a stage fails.
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    wait: TaskWait,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Destroy OSD \"{}\" and wipe its device", self.id);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let request = call::storage::osd::remove(&self.id.to_string(), self.force, &agreed);
        wait::task(&session, &request, self.wait.is_wanted()).await
    }
}
