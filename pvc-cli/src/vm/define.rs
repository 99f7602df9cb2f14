//! `pvc vm define`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use clap::Args;
use pvc_client::call;
use pvc_client::call::vm::{NewVm, VmMeta};

use crate::failure::{Failure, Outcome};
use crate::options::{Autostart, Method, Selector, word};
use crate::shell::Shell;

/// Define a new VM from a libvirt domain definition.
///
/// The VM is stopped until `pvc vm start`.
#[derive(Debug, Args)]
pub(crate) struct Define {
    /// File with the definition; `-` reads standard input.
    #[arg(value_name = "VMCONFIG")]
    definition: String,
    /// Node to put the VM on; chosen by the node selector by default.
    #[arg(short, long, value_name = "NODE")]
    target: Option<String>,
    /// Nodes that may run the VM, separated by commas; any by default.
    #[arg(short, long, value_name = "NODES")]
    limit: Option<String>,
    /// How a node is chosen.
    #[arg(short = 's', long, value_enum, default_value = "none")]
    node_selector: Selector,
    #[command(flatten)]
    autostart: Autostart,
    /// How the VM is migrated.
    #[arg(short, long, value_enum, default_value = "none")]
    method: Method,
    /// Longest pause of a live migration, in milliseconds.
    #[arg(short = 'd', long, value_name = "MS", default_value_t = 300)]
    max_downtime: u32,
    /// Tag of the VM; may be given several times.
    #[arg(short = 'g', long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Tag of the VM that cannot be removed; may be given several times.
    #[arg(short = 'G', long = "protected-tag", value_name = "TAG")]
    protected_tags: Vec<String>,
}

impl Define {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let xml = read_definition(&self.definition)?;
        let session = shell.connect()?;
        let vm = NewVm {
            xml,
            node: self.target,
            meta: VmMeta {
                limit: self.limit,
                selector: Some(word(self.node_selector)),
                autostart: Some(self.autostart.choice().unwrap_or(false)),
                method: Some(word(self.method)),
                max_downtime_ms: Some(self.max_downtime),
                profile: None,
            },
            user_tags: self.tags,
            protected_tags: self.protected_tags,
        };
        session.tell(&call::vm::define(vm)).await
    }
}

/// The definition in a file, or on standard input for `-`.
pub(super) fn read_definition(name: &str) -> Result<String, Failure> {
    let text = if name == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(Path::new(name))
    };
    text.map_err(|error| {
        Failure::new(format!("Failed to read the definition from {name}: {error}"))
    })
}
