//! How soon the VM of a node that lost power writes to its volume elsewhere, and how often Ceph's
//! programs are started in a cluster at rest. Measured on a lab that is up with storage.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pvc_e2e::lab::{Lab, until_every};

use crate::failover::{Course, follow};
use crate::figure::{Case, progress};
use crate::sample::Summary;

const BENCH: &str = "storage";

/// What a node starts when it asks Ceph, before the real one in its search path.
const COUNTED: [&str; 3] = ["ceph", "rbd", "rados"];

/// Where the counters are put, and where they write.
const COUNTERS: &str = "/usr/local/bin";
const COUNT: &str = "/run/pvc-ceph-starts";

/// The lab's keepalive interval.
const INTERVAL: Duration = Duration::from_secs(5);

/// Each node looks every 30 s whether it is let in: so many intervals hold two looks of each.
const INTERVALS: u32 = 12;

/// How it is measured.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// How many nodes lose power, one after the other.
    #[arg(long, default_value_t = 5)]
    runs: u32,
}

/// Measures what it costs at rest, and as many failovers as asked for.
pub(crate) fn measure(options: Options) -> Result<()> {
    let lab = Lab::take();
    lab.await_rest();
    lab.await_storage();
    at_rest(&lab)?;
    let mut courses = Vec::new();
    for run in 1..=options.runs {
        progress(&format!("{BENCH}: run {run} of {} ...", options.runs));
        let parts = parts(&one(&lab)?)?;
        for (part, time) in parts {
            tell(&format!("run-{run:02}-{part}"), None, time);
        }
        courses.push(parts);
        lab.restore();
    }
    ensure!(!courses.is_empty(), "no run is no measurement");
    for (index, (part, goals)) in PARTS.into_iter().enumerate() {
        let summary = Summary::of(courses.iter().map(|parts| parts[index].1).collect());
        let [usual, worst] = goals.map_or([None; 2], |goals| goals.map(Some));
        tell(&format!("{part}-p50"), usual, summary.p50);
        tell(&format!("{part}-p99"), worst, summary.p99);
    }
    Ok(())
}

/// What is told of a failover; and what half of the runs, and 99 % of them, should not exceed, in
/// seconds. Every node that is cut holds a monitor.
const PARTS: [(&str, Option<[f64; 2]>); 3] =
    [("shut-out", None), ("proof-to-write", None), ("total", Some([10.0, 20.0]))];

/// The time until the node's clients were shut out, from then and the proof of its death until the
/// VM wrote, and all of it.
fn parts(course: &Course) -> Result<[(&'static str, Duration); 3]> {
    let storage = course.fence.evidence.iter().find(|one| one.kind == "storage");
    let shut_out = storage.filter(|one| one.verdict == "proved");
    let shut_out = shut_out.context("it was recovered without having been shut out")?.at_ms;
    let proved = course.fence.proved_ms.context("it was finished unproved")?;
    let [shut_out, proved] = [shut_out, proved].map(Duration::from_millis);
    let times = [
        shut_out.saturating_sub(course.cut),
        course.wrote.saturating_sub(shut_out.max(proved)),
        course.wrote.saturating_sub(course.cut),
    ];
    Ok([0, 1, 2].map(|index| (PARTS[index].0, times[index])))
}

fn one(lab: &Lab) -> Result<Course> {
    lab.await_rest();
    lab.await_storage();
    let node = lab.plain_node();
    let vm = lab.store("failover", &node);
    lab.fault(&["bmc", &node, "down"]);
    let course = follow(lab, &node, &vm)?;
    let witness = lab.hosts().iter().find(|host| **host != node).context("it was the only one")?;
    ensure!(lab.kept(&vm, witness).len() == 2, "{vm} was started twice");
    Ok(course)
}

/// Counts what a cluster at rest asks.
fn at_rest(lab: &Lab) -> Result<()> {
    progress(&format!("{BENCH}: a cluster at rest ..."));
    let counters = Counters::install(lab);
    let (before, begun) = (counters.sum()?, Instant::now());
    let span = INTERVAL * INTERVALS;
    until_every(Duration::from_millis(100), "the intervals to pass", span * 2, || {
        if begun.elapsed() >= span { Ok(()) } else { Err(String::new()) }
    });
    let starts = counters.sum()? - before;
    let value = f64::from(starts) / f64::from(INTERVALS);
    let case = "ceph-commands-per-interval";
    Case { bench: BENCH, case, goal: Some(5.0) }.tell(value, "commands");
    Ok(())
}

/// Programs that count how often they are started before they become the real ones.
struct Counters<'a>(&'a Lab);

impl<'a> Counters<'a> {
    fn install(lab: &'a Lab) -> Self {
        for host in lab.hosts() {
            for name in COUNTED {
                let write = format!(
                    "printf '#!/bin/sh\\necho {name} >>{COUNT}\\nexec /usr/bin/{name} \"$@\"\\n' \
                     >{COUNTERS}/{name} && chmod +x {COUNTERS}/{name} && : >{COUNT}"
                );
                lab.on(host, &["sh", "-c", &write]);
            }
        }
        Self(lab)
    }

    fn sum(&self) -> Result<u32> {
        let mut sum = 0;
        for host in self.0.hosts() {
            let lines = self.0.on(host, &["sh", "-c", &format!("wc -l <{COUNT}")]);
            sum += lines.trim().parse::<u32>().context("not a number of lines")?;
        }
        Ok(sum)
    }
}

impl Drop for Counters<'_> {
    fn drop(&mut self) {
        for host in self.0.hosts() {
            let paths = COUNTED.map(|name| format!("{COUNTERS}/{name}"));
            let words: Vec<&str> =
                ["rm", "-f", COUNT].into_iter().chain(paths.iter().map(String::as_str)).collect();
            self.0.on(host, &words);
        }
    }
}

fn tell(case: &str, goal: Option<f64>, time: Duration) {
    Case { bench: BENCH, case, goal }.tell(time.as_secs_f64(), "s");
}
