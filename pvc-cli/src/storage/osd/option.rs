//! `pvc storage osd set` and `unset`.

use clap::Args;
use pvc_client::call;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Set a property of all OSDs.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Property of Ceph, such as noout or nobackfill.
    #[arg(value_name = "PROPERTY")]
    property: String,
}

impl Set {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        session.tell(&call::storage::set_option(&self.property, true)).await
    }
}

/// Unset a property of all OSDs.
#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// Property of Ceph, such as noout or nobackfill.
    #[arg(value_name = "PROPERTY")]
    property: String,
}

impl Unset {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        session.tell(&call::storage::set_option(&self.property, false)).await
    }
}
