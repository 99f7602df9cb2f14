//! `pvc vm memory`: memory of a VM.

use clap::{Args, Subcommand};
use pvc_common::unit::Mib;
use pvc_domxml::edit;
use serde_json::json;

use super::{find, restart};
use crate::failure::{Failure, Outcome};
use crate::format::{Form, ListFormat, ListStyle};
use crate::options::{Consent, Restart};
use crate::shell::Shell;
use crate::show::{Cell, Table};

/// Memory of a VM.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Get(Get),
    Set(Set),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Get(verb) => verb.run(shell).await,
            Self::Set(verb) => verb.run(shell).await,
        }
    }
}

/// Show the memory, in MiB.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    format: ListFormat,
}

impl Get {
    async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        match self.format.form() {
            Form::Json(json) => {
                shell.out.json(&json!({"name": vm.name, "memory": vm.memory}), json)
            }
            Form::Laid(ListStyle::Raw) => shell.out.data(&vm.memory.to_string()),
            Form::Laid(ListStyle::Pretty) => {
                let mut table = Table::new(&[("", &["RAM (M)"])]);
                table.row(vec![Cell::plain(vm.memory)]);
                shell.out.data(&table.render(shell.out.paint()))
            }
        }
    }
}

/// Change the memory.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Memory, in MiB.
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    memory: u64,
    #[command(flatten)]
    restart: Restart,
    #[command(flatten)]
    consent: Consent,
}

impl Set {
    async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        let xml = edit::set_memory(&vm.xml, Mib(self.memory)).map_err(|error| {
            Failure::new(format!("Failed to change VM '{}': {error}", vm.name))
                .hint("`pvc vm modify --editor` changes any part of the definition.")
        })?;
        restart::apply(shell, &session, &vm, xml, self.restart, self.consent).await
    }
}
