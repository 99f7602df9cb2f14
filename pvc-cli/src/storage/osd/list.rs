//! `pvc storage osd list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::Osd;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table};
use crate::storage::stats::Stats;

/// List OSDs, all or those that match.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Regular expression for the numbers.
    limit: Option<String>,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::storage::osd::list(self.limit.as_deref());
        let paint = shell.out.paint();
        session
            .show_list(&request, "OSDs", self.format.form(), |osds: Vec<Osd>, style| {
                render(&osds, style, paint)
            })
            .await
    }
}

/// The table of OSDs, or number, node and device of each.
pub(super) fn render(osds: &[Osd], style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let names = osds.iter().map(|osd| format!("{}:{}:{}", osd.id, osd.node, osd.device));
        return names.collect::<Vec<_>>().join("\n");
    }
    let mut table = Table::new(&[
        ("OSDs", &["ID", "Node", "Block", "DB Block"]),
        ("State", &["Up", "In"]),
        ("Details", &["Size", "PGs", "Wt", "ReWt", "Used", "Free", "Util%"]),
        ("Read", &["OPS", "Data"]),
        ("Write", &["OPS", "Data"]),
    ]);
    for osd in osds {
        let stats = Stats(&osd.stats);
        table.row(vec![
            (&osd.id).into(),
            Cell::or_na(&osd.node),
            Cell::or_na(&osd.device),
            Cell::or_na(&osd.db_device),
            stats.good("up"),
            stats.good("in"),
            stats.kib("kb"),
            stats.plain("pgs"),
            stats.decimal("weight"),
            stats.decimal("reweight"),
            stats.kib("kb_used"),
            stats.kib("kb_avail"),
            stats.percentage("utilization", 100.0),
            stats.count("rd_ops"),
            stats.bytes("rd_data"),
            stats.count("wr_ops"),
            stats.bytes("wr_data"),
        ]);
    }
    table.render(paint)
}
