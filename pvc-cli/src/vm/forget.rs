//! `pvc vm undefine` and `pvc vm remove`: without and with the VM's disks.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::options::Consent;
use crate::shell::Shell;

/// Stop a VM and forget it; its disks stay.
#[derive(Debug, Args)]
pub(crate) struct Undefine {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    consent: Consent,
}

impl Undefine {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Undefine virtual machine \"{}\"", self.vm);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::vm::undefine(&self.vm, &agreed)).await
    }
}

/// Stop a VM, forget it and delete its disks.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Remove virtual machine \"{}\" and its disks", self.vm);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::vm::remove(&self.vm, &agreed)).await
    }
}
