//! `pvc node fence show`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::{Evidence, Fence};
use pvc_common::state::{Verdict, Word};

use crate::failure::Outcome;
use crate::format::{InfoFormat, InfoStyle};
use crate::paint::{Colour, Paint};
use crate::shell::Shell;
use crate::show::{Cell, Sheet, Table, after, fence_phase, moment};

/// Show one fence: what happened when, what proved the death, what became of the VMs.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Fence, as `pvc node fence list` shows it; or a node, for its newest.
    #[arg(value_name = "FENCE")]
    fence: String,
    #[command(flatten)]
    format: InfoFormat,
}

impl Show {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let newest: Vec<Fence> =
            session.read(&call::node::fences(Some(&self.fence), Some(1))).await?;
        let id = newest.first().map_or(self.fence.as_str(), |fence| fence.id.as_str());
        let request = call::node::fence(id);
        let paint = shell.out.paint();
        session
            .show_one(&request, ("Node fence", id), self.format.form(), |fence: Fence, style| {
                render(&fence, style, paint)
            })
            .await
    }
}

/// The page about a fence; the short style counts the VMs that were moved.
pub(super) fn render(fence: &Fence, style: InfoStyle, paint: Paint) -> String {
    let mut sheet = Sheet::default();
    sheet.value("ID", &fence.id);
    sheet.value("Node", &fence.node);
    sheet.value("Phase", fence_phase(&fence.phase));
    sheet.value("By", &fence.by);
    sheet.value("Why", Cell::or_na(&fence.why));
    if style == InfoStyle::Long {
        sheet.value("Boot", Cell::or_na(&fence.boot));
        sheet.value("Power cut", if fence.power_cut { "yes" } else { "no" });
    }
    sheet.blank();
    let since = |ms| format!("{} ({})", moment(ms), after(fence.suspected_ms, ms));
    let since_if = |ms: Option<u64>| ms.map_or_else(|| "N/A".to_owned(), since);
    sheet.value("Suspected (UTC)", moment(fence.suspected_ms));
    sheet.value("Condemned", since(fence.condemned_ms));
    sheet.value("Proved", since_if(fence.proved_ms));
    sheet.value("Ended", since_if(fence.finished_ms));
    sheet.blank();
    sheet.block(evidence(fence, paint));
    sheet.blank();
    match style {
        InfoStyle::Pretty => sheet.value("VMs moved", Cell::plain(fence.moved.len())),
        InfoStyle::Long => sheet.values("VMs moved", moved(fence)),
    }
    sheet.values("VMs waiting", waiting(fence));
    sheet.render(paint)
}

fn evidence(fence: &Fence, paint: Paint) -> String {
    let mut table = Table::new(&[("Evidence", &["Kind", "Verdict", "When", "Detail"])]);
    for one in &fence.evidence {
        table.row(vec![
            (&one.kind).into(),
            verdict(one),
            after(fence.suspected_ms, one.at_ms).into(),
            Cell::or_na(&one.detail),
        ]);
    }
    table.render(paint)
}

fn verdict(one: &Evidence) -> Cell {
    match Verdict::parse(&one.verdict) {
        Ok(Verdict::Proved) => Cell::coloured(Colour::Green, &one.verdict),
        Ok(Verdict::Failed) => Cell::coloured(Colour::Red, &one.verdict),
        Err(_) => Cell::plain(&one.verdict),
    }
}

fn moved(fence: &Fence) -> Vec<Cell> {
    let moved = fence.moved.iter();
    or_none(moved.map(|vm| format!("{} -> {}", vm.name.as_ref().unwrap_or(&vm.vm), vm.to)))
}

fn waiting(fence: &Fence) -> Vec<Cell> {
    or_none(fence.waiting.iter().map(|vm| vm.name.as_ref().unwrap_or(&vm.vm).clone()))
}

fn or_none(texts: impl Iterator<Item = String>) -> Vec<Cell> {
    let cells: Vec<Cell> = texts.map(Cell::from).collect();
    if cells.is_empty() { vec!["none".into()] } else { cells }
}
