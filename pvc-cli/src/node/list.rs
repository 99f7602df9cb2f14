//! `pvc node list`.

use clap::Args;
use pvc_client::call;
use pvc_client::call::node::NodeFilter;
use pvc_common::api::Node;

use super::fencing;
use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table, coordinator_state, daemon_state, domain_state, health};

/// List nodes, all or those that match everything given.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Regular expression for the names.
    limit: Option<String>,
    /// Daemon state, also as -ds: run, init, shutdown, stop, dead or fenced.
    #[arg(long, value_name = "STATE")]
    daemon_state: Option<String>,
    /// Coordinator state, also as -cs: primary, secondary, takeover, relinquish or client.
    #[arg(long, value_name = "STATE")]
    coordinator_state: Option<String>,
    /// Domain state, also as -vs: ready, flush, flushed, unflush or fence-flush.
    #[arg(long, value_name = "STATE")]
    domain_state: Option<String>,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let filter = NodeFilter {
            limit: self.limit,
            daemon_state: self.daemon_state,
            coordinator_state: self.coordinator_state,
            domain_state: self.domain_state,
        };
        let request = call::node::list(&filter);
        let paint = shell.out.paint();
        session
            .show_list(&request, "nodes", self.format.form(), |nodes: Vec<Node>, style| {
                render(&nodes, style, paint)
            })
            .await
    }
}

/// The table of nodes, or their names.
pub(super) fn render(nodes: &[Node], style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        return names.join("\n");
    }
    let mut table = Table::new(&[
        ("Nodes", &["Name", "Version", "Health"]),
        ("States", &["Daemon", "Coordinator", "Domain"]),
        ("Resources", &["VMs", "vCPUs", "Load"]),
        ("Memory (M)", &["Total", "Used", "Free", "Alloc", "Prov"]),
        ("Fencing", &["State"]),
    ]);
    for node in nodes {
        table.row(vec![
            (&node.name).into(),
            Cell::or_na(node.pvc_version.as_deref().unwrap_or("")),
            health(node.health, false),
            daemon_state(&node.daemon_state),
            coordinator_state(&node.coordinator_state),
            domain_state(&node.domain_state),
            Cell::plain(node.domains_count),
            Cell::plain(node.vcpu.allocated),
            Cell::plain(node.load),
            Cell::plain(node.memory.total),
            Cell::plain(node.memory.used),
            Cell::plain(node.memory.free),
            Cell::plain(node.memory.allocated),
            Cell::plain(node.memory.provisioned),
            fencing::mark(node),
        ]);
    }
    table.render(paint)
}
