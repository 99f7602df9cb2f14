//! `pvc vm dump`.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::find;
use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

/// Print the definition of a VM, as libvirt domain XML.
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// File to write; standard output by default.
    #[arg(short, long)]
    file: Option<PathBuf>,
}

impl Dump {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        // A definition that cannot be indented is still worth having as it is.
        let xml = pvc_domxml::pretty(&vm.xml).unwrap_or(vm.xml);
        let xml = xml.trim_end();
        match &self.file {
            None => shell.out.data(xml),
            Some(path) => fs::write(path, format!("{xml}\n")).map_err(|error| {
                Failure::new(format!("Failed to write {}: {error}", path.display()))
            }),
        }
    }
}
