//! What benchmarks look like.

use pvc_common::api::Benchmark;

use super::{info, list};
use crate::golden::{check, fixture};
use crate::paint::Paint;

const PLAIN: Paint = Paint::new(false);

#[test]
fn benchmarks_of_every_format_are_listed_also_those_that_run() {
    check("render/benchmark-list.txt", &list::render(fixture("benchmarks.json"), PLAIN));
}

#[test]
fn a_benchmark_is_shown_with_every_test() {
    let benchmarks: Vec<Benchmark> = fixture("benchmarks.json");
    check("render/benchmark-info.txt", &info::render(&benchmarks[0], PLAIN));
    check("render/benchmark-info-running.txt", &info::render(&benchmarks[1], PLAIN));
    check("render/benchmark-info-legacy.txt", &info::render(&benchmarks[2], PLAIN));
}
