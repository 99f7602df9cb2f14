//! `pvc cluster restore`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use pvc_client::call;
use serde_json::{Map, Value};

use crate::failure::{Failure, Outcome};
use crate::options::Consent;
use crate::shell::Shell;

/// Replace what the cluster knows by a backup.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// File that `pvc cluster backup` wrote.
    #[arg(short, long, visible_alias = "file")]
    filename: PathBuf,
    #[command(flatten)]
    consent: Consent,
}

impl Restore {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let shown = self.filename.display();
        let backup = fs::read_to_string(&self.filename)
            .map_err(|error| Failure::new(format!("Failed to read {shown}: {error}")))?;
        let tree: Map<String, Value> = serde_json::from_str(&backup).map_err(|error| {
            Failure::new(format!("{shown} is not a backup of a cluster: {error}"))
                .hint("`pvc cluster backup --file FILE` writes one.")
        })?;
        let session = shell.connect()?;
        let question =
            format!("Replace all data of the cluster by the {} keys in \"{shown}\"", tree.len());
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::cluster::restore(backup, &agreed)).await
    }
}
