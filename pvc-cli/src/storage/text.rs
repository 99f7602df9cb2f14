//! `pvc storage status` and `pvc storage util`: what Ceph says of itself.

use clap::Args;
use pvc_client::{Request, call};
use pvc_common::api::StorageText;

use crate::failure::Outcome;
use crate::format::PageFormat;
use crate::paint::tame;
use crate::shell::Shell;

/// Show the state of the storage, in Ceph's words.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    format: PageFormat,
}

impl Status {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        show(shell, &call::storage::status(), self.format).await
    }
}

/// Show how full the storage is, in Ceph's words.
#[derive(Debug, Args)]
pub(crate) struct Util {
    #[command(flatten)]
    format: PageFormat,
}

impl Util {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        show(shell, &call::storage::utilization(), self.format).await
    }
}

async fn show(shell: &Shell, request: &Request, format: PageFormat) -> Outcome {
    let session = shell.connect()?;
    session.show(request, format.form(), |text: StorageText, ()| lay(&text.ceph_data)).await
}

fn lay(text: &str) -> String {
    text.trim_end().lines().map(tame).collect::<Vec<_>>().join("\n")
}
