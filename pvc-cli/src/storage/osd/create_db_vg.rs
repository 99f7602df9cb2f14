//! `pvc storage osd create-db-vg`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::{Consent, TaskWait};
use crate::shell::Shell;
use crate::wait;

/// Make a device the place for the databases of a node's OSDs.
///
/// A device that is not blank is refused. A node has one such volume group.
#[derive(Debug, Args)]
pub(crate) struct CreateDbVg {
    /// Node that has the device.
    node: String,
    /// Block device, or detect:NAME:SIZE:NUMBER.
    device: String,
    #[command(flatten)]
    wait: TaskWait,
    #[command(flatten)]
    consent: Consent,
}

impl CreateDbVg {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!(
            "Create the OSD database volume group on \"{}\" of node \"{}\"",
            self.device, self.node
        );
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let request = call::storage::osd::add_db_vg(&self.node, &self.device, &agreed);
        wait::task(&session, &request, self.wait.is_wanted()).await
    }
}
