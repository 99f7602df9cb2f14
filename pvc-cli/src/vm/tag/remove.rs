//! `pvc vm tag remove`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Take a tag from a VM.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// The tag.
    tag: String,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        session.tell(&call::vm::remove_tag(&self.vm, &self.tag)).await
    }
}
