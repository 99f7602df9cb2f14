//! `pvc storage volume list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::Volume;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::Table;
use crate::storage::stats::Stats;

/// List volumes, all or those that match.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Regular expression for the names.
    limit: Option<String>,
    /// Pool that holds the volumes.
    #[arg(short, long)]
    pool: Option<String>,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::storage::volume::list(self.limit.as_deref(), self.pool.as_deref());
        let paint = shell.out.paint();
        session
            .show_list(&request, "volumes", self.format.form(), |volumes: Vec<Volume>, style| {
                render(&volumes, style, paint)
            })
            .await
    }
}

/// The table of volumes, or pool and name of each.
pub(super) fn render(volumes: &[Volume], style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let names = volumes.iter().map(|volume| format!("{}/{}", volume.pool, volume.name));
        return names.collect::<Vec<_>>().join("\n");
    }
    let mut table = Table::new(&[
        ("Volumes", &["Name", "Pool"]),
        ("Details", &["Size", "Objects", "Order", "Format", "Features"]),
    ]);
    for volume in volumes {
        let stats = Stats(&volume.stats);
        table.row(vec![
            (&volume.name).into(),
            (&volume.pool).into(),
            stats.bytes("size"),
            stats.plain("objects"),
            stats.plain("order"),
            stats.plain("format"),
            stats.list("features"),
        ]);
    }
    table.render(paint)
}
