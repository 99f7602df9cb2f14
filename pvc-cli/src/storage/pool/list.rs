//! `pvc storage pool list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::Pool;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table};
use crate::storage::stats::Stats;

/// List pools, all or those that match.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Regular expression for the names.
    limit: Option<String>,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::storage::pool::list(self.limit.as_deref());
        let paint = shell.out.paint();
        session
            .show_list(&request, "pools", self.format.form(), |pools: Vec<Pool>, style| {
                render(&pools, style, paint)
            })
            .await
    }
}

/// The table of pools, or their names.
pub(super) fn render(pools: &[Pool], style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
        return names.join("\n");
    }
    let mut table = Table::new(&[
        ("Pools", &["ID", "Name", "Tier", "PGs", "Used", "Used%", "Free"]),
        ("Objects", &["Count", "Clones", "Copies", "Degraded"]),
        ("Read", &["OPS", "Data"]),
        ("Write", &["OPS", "Data"]),
    ]);
    for pool in pools {
        let stats = Stats(&pool.stats);
        table.row(vec![
            stats.plain("id"),
            (&pool.name).into(),
            Cell::or_na(&pool.tier),
            Cell::or_na(&pool.pgs),
            stats.bytes("used_bytes"),
            stats.percentage("used_percent", 1.0),
            stats.bytes("free_bytes"),
            stats.count("num_objects"),
            stats.count("num_object_clones"),
            stats.count("num_object_copies"),
            stats.count("num_objects_degraded"),
            stats.count("read_ops"),
            stats.bytes("read_bytes"),
            stats.count("write_ops"),
            stats.bytes("write_bytes"),
        ]);
    }
    table.render(paint)
}
