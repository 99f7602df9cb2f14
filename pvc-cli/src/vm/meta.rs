//! `pvc vm meta`.

use clap::Args;
use pvc_client::call;
use pvc_client::call::vm::VmMeta;

use crate::failure::{Failure, Outcome};
use crate::options::{Autostart, Method, Selector, word};
use crate::shell::Shell;

/// Change how the cluster treats a VM: only what is given.
#[derive(Debug, Args)]
pub(crate) struct Meta {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Nodes that may run the VM, separated by commas; "" for any.
    #[arg(short, long, value_name = "NODES")]
    limit: Option<String>,
    /// How a node is chosen.
    #[arg(short = 's', long, value_enum)]
    node_selector: Option<Selector>,
    #[command(flatten)]
    autostart: Autostart,
    /// How the VM is migrated.
    #[arg(short, long, value_enum)]
    method: Option<Method>,
    /// Longest pause of a live migration, in milliseconds.
    #[arg(short = 'd', long, value_name = "MS")]
    max_downtime: Option<u32>,
    /// Provisioner profile that the VM was made from.
    #[arg(short, long, value_name = "NAME")]
    profile: Option<String>,
}

impl Meta {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let meta = VmMeta {
            limit: self.limit,
            selector: self.node_selector.map(word),
            autostart: self.autostart.choice(),
            method: self.method.map(word),
            max_downtime_ms: self.max_downtime,
            profile: self.profile,
        };
        if meta == VmMeta::default() {
            return Err(Failure::usage("There is nothing to change.")
                .hint("`pvc vm meta --help` shows what can be."));
        }
        let session = shell.connect()?;
        session.tell(&call::vm::set_meta(&self.vm, &meta)).await
    }
}
