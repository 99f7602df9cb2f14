//! `pvc node fence list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::Fence;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table, after, fence_phase, moment};
use crate::wait::proofs;

/// List fences, under way and over, the newest first.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Node that was fenced; by default any.
    #[arg(value_name = "NODE")]
    node: Option<String>,
    /// How many to list at most.
    #[arg(short, long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::node::fences(self.node.as_deref(), self.limit);
        let paint = shell.out.paint();
        session
            .show_list(&request, "fences", self.format.form(), |fences: Vec<Fence>, style| {
                render(&fences, style, paint)
            })
            .await
    }
}

/// The table of fences, or their identifiers.
pub(super) fn render(fences: &[Fence], style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let ids: Vec<&str> = fences.iter().map(|fence| fence.id.as_str()).collect();
        return ids.join("\n");
    }
    let mut table = Table::new(&[
        ("Fence", &["ID", "Node", "Phase", "By"]),
        ("Time (UTC)", &["Condemned", "Proved", "Ended"]),
        ("Proof", &["By"]),
        ("VMs", &["Moved", "Waiting"]),
    ]);
    for fence in fences {
        let since = |ms: Option<u64>| {
            let text = ms.map(|ms| after(fence.condemned_ms, ms));
            Cell::or_na(text.as_deref().unwrap_or(""))
        };
        table.row(vec![
            (&fence.id).into(),
            (&fence.node).into(),
            fence_phase(&fence.phase),
            (&fence.by).into(),
            moment(fence.condemned_ms).into(),
            since(fence.proved_ms),
            since(fence.finished_ms),
            proofs(fence).into(),
            Cell::plain(fence.moved.len()),
            Cell::plain(fence.waiting.len()),
        ]);
    }
    table.render(paint)
}
