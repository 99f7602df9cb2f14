//! `pvc storage benchmark info`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::Benchmark;
use serde_json::Value;

use super::figures::Figures;
use crate::failure::Outcome;
use crate::format::PageFormat;
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Sheet, Table};

/// Show what a benchmark found.
#[derive(Debug, Args)]
pub(crate) struct Info {
    /// Name of the benchmark.
    job: String,
    #[command(flatten)]
    format: PageFormat,
}

impl Info {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::storage::benchmarks(Some(&self.job));
        let paint = shell.out.paint();
        session
            .show_one(
                &request,
                ("Storage benchmark", &self.job),
                self.format.form(),
                |benchmark: Benchmark, ()| render(&benchmark, paint),
            )
            .await
    }
}

/// The page about a benchmark.
pub(super) fn render(benchmark: &Benchmark, paint: Paint) -> String {
    let mut sheet = Sheet::default();
    sheet.value("Job", &benchmark.job);
    sheet.value("Format", Cell::plain(benchmark.test_format));
    let Some(tests) = benchmark.benchmark_result.as_object() else {
        let state = benchmark.benchmark_result.as_str().unwrap_or_default();
        sheet.value("Result", Cell::or_na(state));
        return sheet.render(paint);
    };
    let mut table = Table::new(&[
        ("Tests", &["Name"]),
        ("Results", &["Bandwidth/s", "IOPS", "Latency (us)"]),
        ("Node", &["CPU%", "Memory%", "Network (Mbit/s)"]),
    ]);
    for (name, test) in tests {
        table.row(row(name, test));
    }
    sheet.blank();
    sheet.block(table.render(paint));
    sheet.render(paint)
}

fn row(name: &str, test: &Value) -> Vec<Cell> {
    let figures = Figures::new(name, test);
    let values = [
        figures.bandwidth(),
        figures.iops(),
        figures.latency(),
        figures.cpu(),
        figures.memory(),
        figures.network(),
    ];
    let cells = values.map(|value| Cell::or_na(&value.unwrap_or_default()));
    std::iter::once(Cell::from(name)).chain(cells).collect()
}
