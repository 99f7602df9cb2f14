//! `pvc cluster backup`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use pvc_client::call;
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::format::Json;
use crate::shell::Shell;

/// Save what the cluster knows, as JSON.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write, readable by its owner alone; standard output by default.
    #[arg(short, long)]
    file: Option<PathBuf>,
}

impl Backup {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let answer = session.client.send(&call::cluster::backup()).await?;
        // Upstream's servers wrap the document into a text.
        let data = match answer.read()? {
            Value::String(text) => {
                serde_json::from_str(&text).map_err(|error| answer.garbled(&error.to_string()))?
            }
            other => other,
        };
        let Value::Object(tree) = data else {
            return Err(answer.garbled("a backup is an object of paths and values").into());
        };
        let Some(path) = self.file else {
            return shell.out.json(&tree, Json::Dense);
        };
        let text = serde_json::to_string(&tree).expect("a JSON value is JSON");
        write(&path, &text).map_err(|error| {
            Failure::new(format!("Failed to write {}: {error}", path.display()))
        })?;
        shell.out.note(&format!("Saved {} keys to {}.", tree.len(), path.display()));
        Ok(())
    }
}

/// A backup holds the power controllers' passwords, so that nobody else may read it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
