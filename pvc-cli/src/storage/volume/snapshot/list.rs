//! `pvc storage volume snapshot list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::VolumeSnapshot;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::Table;

/// List snapshots of volumes, all or those that match.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Regular expression for the names of the snapshots.
    limit: Option<String>,
    /// Pool that holds the volumes.
    #[arg(short, long)]
    pool: Option<String>,
    /// Volume that the snapshots are of.
    #[arg(short = 'o', long)]
    volume: Option<String>,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::storage::snapshot::list(
            self.limit.as_deref(),
            self.volume.as_deref(),
            self.pool.as_deref(),
        );
        let paint = shell.out.paint();
        session
            .show_list(&request, "snapshots", self.format.form(), |snapshots, style| {
                render(snapshots, style, paint)
            })
            .await
    }
}

/// The table of snapshots, or all their names in one line, as scripts know it.
fn render(snapshots: Vec<VolumeSnapshot>, style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let names = snapshots.iter().map(|VolumeSnapshot { pool, volume, snapshot, .. }| {
            format!("{pool}/{volume}@{snapshot}")
        });
        return names.collect::<Vec<_>>().join(" ");
    }
    let mut table = Table::new(&[("Snapshots", &["Name", "Volume", "Pool"])]);
    for VolumeSnapshot { pool, volume, snapshot, .. } in snapshots {
        table.row(vec![snapshot.into(), volume.into(), pool.into()]);
    }
    table.render(paint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn snapshots_are_listed_also_before_there_is_anything_to_tell_of_them() {
        let snapshots = || {
            serde_json::from_value(json!([
                {"pool": "vms", "volume": "a", "snapshot": "s1", "stats": []},
                {"pool": "vms", "volume": "long", "snapshot": "s2", "stats": {"size": 1}},
                {"pool": "vms", "volume": "b", "snapshot": "s3"},
            ]))
            .unwrap()
        };
        let plain = Paint::new(false);
        assert_eq!(
            render(snapshots(), ListStyle::Pretty, plain),
            "Snapshots --------\n\
             Name  Volume  Pool\n\
             s1    a       vms\n\
             s2    long    vms\n\
             s3    b       vms"
        );
        let raw = render(snapshots(), ListStyle::Raw, plain);
        assert_eq!(raw, "vms/a@s1 vms/long@s2 vms/b@s3");
    }
}
