//! `pvc storage osd in` and `out`.

use clap::Args;
use pvc_client::call;
use pvc_common::id::OsdId;

use crate::failure::Outcome;
use crate::shell::Shell;

/// Have an OSD hold data.
#[derive(Debug, Args)]
pub(crate) struct In {
    /// OSD, by its number.
    #[arg(value_name = "OSDID")]
    id: OsdId,
}

impl In {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        session.tell(&call::storage::osd::set_in(&self.id.to_string(), true)).await
    }
}

/// Have an OSD hold no data: what it has moves to others.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// OSD, by its number.
    #[arg(value_name = "OSDID")]
    id: OsdId,
}

impl Out {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        session.tell(&call::storage::osd::set_in(&self.id.to_string(), false)).await
    }
}
