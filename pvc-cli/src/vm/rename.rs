//! `pvc vm rename`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Rename a stopped VM.
#[derive(Debug, Args)]
pub(crate) struct Rename {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// The new name.
    new_name: String,
    #[command(flatten)]
    consent: Consent,
}

impl Rename {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Rename virtual machine \"{}\" to \"{}\"", self.vm, self.new_name);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::vm::rename(&self.vm, &self.new_name, &agreed)).await
    }
}
