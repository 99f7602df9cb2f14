//! `pvc storage osd replace`.

use clap::Args;
use pvc_client::call;
use pvc_client::call::storage::osd::Replacement;
use pvc_common::id::OsdId;

use super::ext_db::ExtDbOptions;
use crate::failure::Outcome;
use crate::options::{Consent, TaskWait};
use crate::shell::Shell;
use crate::storage::parse;
use crate::wait;

/// Put a new device into the place of an OSD's.
///
/// All OSDs that share the old device move to the new one. Everything on both is lost.
#[derive(Debug, Args)]
pub(crate) struct Replace {
    /// OSD, by its number.
    #[arg(value_name = "OSDID")]
    id: OsdId,
    /// Block device, or detect:NAME:SIZE:NUMBER.
    new_device: String,
    /// Old block device, to be wiped if it is still there.
    #[arg(short, long, value_name = "DEVICE")]
    old_device: Option<String>,
    /// New weight of the OSD in the placement of data; the same as before by default.
    #[arg(short, long, value_parser = parse::weight)]
    weight: Option<String>,
    #[command(flatten)]
    ext_db: ExtDbOptions,
    #[command(flatten)]
    wait: TaskWait,
    #[command(flatten)]
    consent: Consent,
}

impl Replace {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!(
            "Destroy OSD \"{}\", wipe \"{}\" and put it into its place",
            self.id, self.new_device
        );
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let by = Replacement {
            device: self.new_device,
            old_device: self.old_device,
            weight: self.weight,
            ext_db: self.ext_db.choice(),
        };
        let request = call::storage::osd::replace(&self.id.to_string(), &by, &agreed);
        wait::task(&session, &request, self.wait.is_wanted()).await
    }
}
