//! `pvc storage benchmark list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::Benchmark;
use serde_json::Value;

use super::figures::Figures;
use crate::failure::Outcome;
use crate::format::PageFormat;
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table};

/// List benchmarks.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Name of one benchmark.
    job: Option<String>,
    #[command(flatten)]
    format: PageFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::storage::benchmarks(self.job.as_deref());
        let paint = shell.out.paint();
        session
            .show_list(&request, "benchmarks", self.format.form(), |benchmarks, ()| {
                render(benchmarks, paint)
            })
            .await
    }
}

/// The table of benchmarks.
pub(super) fn render(benchmarks: Vec<Benchmark>, paint: Paint) -> String {
    let speed: &[&str] = &["R/W Bandwidth/s", "R/W IOPS"];
    let mut table = Table::new(&[
        ("Benchmarks", &["Job", "Format"]),
        ("Sequential (4M blocks)", speed),
        ("Random (4K blocks)", speed),
    ]);
    for benchmark in benchmarks {
        let result = &benchmark.benchmark_result;
        table.row(vec![
            benchmark.job.into(),
            Cell::plain(benchmark.test_format),
            both(result, "seq_read", "seq_write", Figures::bandwidth),
            both(result, "seq_read", "seq_write", Figures::iops),
            both(result, "rand_read_4K", "rand_write_4K", Figures::bandwidth),
            both(result, "rand_read_4K", "rand_write_4K", Figures::iops),
        ]);
    }
    table.render(paint)
}

/// What reading and writing gave, or what the benchmark is doing.
fn both<'a>(
    result: &'a Value,
    read: &str,
    write: &str,
    figure: fn(Figures<'a>) -> Option<String>,
) -> Cell {
    if let Some(state) = result.as_str() {
        return Cell::or_na(state);
    }
    let of = |name: &str| result.get(name).and_then(|test| figure(Figures::new(name, test)));
    match (of(read), of(write)) {
        (None, None) => Cell::or_na(""),
        (read, write) => {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "N/A".to_owned());
            Cell::plain(format!("{} / {}", shown(read), shown(write)))
        }
    }
}
