//! `pvc vm tag add`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Give a VM a tag.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// The tag.
    tag: String,
    /// The tag cannot be removed again.
    #[arg(short, long)]
    protected: bool,
}

impl Add {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        session.tell(&call::vm::add_tag(&self.vm, &self.tag, self.protected)).await
    }
}
