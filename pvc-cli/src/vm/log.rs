//! `pvc vm log`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::follow::LogOptions;
use crate::shell::Shell;

/// Show the console log of a VM, in a pager.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    options: LogOptions,
}

impl Log {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        self.options.show(&session, |lines| call::vm::console(&self.vm, lines)).await
    }
}
