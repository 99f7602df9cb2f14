//! `pvc storage osd refresh`.

use clap::Args;
use pvc_client::call;
use pvc_common::id::OsdId;

use crate::failure::Outcome;
use crate::options::{Consent, TaskWait};
use crate::shell::Shell;
use crate::wait;

/// Take up an OSD again whose device is there.
///
/// For a node that was installed anew, or a device that was moved. Its data is kept.
#[derive(Debug, Args)]
pub(crate) struct Refresh {
    /// OSD, by its number.
    #[arg(value_name = "OSDID")]
    id: OsdId,
    /// Block device, or detect:NAME:SIZE:NUMBER.
    device: String,
    #[command(flatten)]
    wait: TaskWait,
    #[command(flatten)]
    consent: Consent,
}

impl Refresh {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Refresh OSD \"{}\" on \"{}\"", self.id, self.device);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let request = call::storage::osd::refresh(&self.id.to_string(), &self.device, &agreed);
        wait::task(&session, &request, self.wait.is_wanted()).await
    }
}
