//! The primary loses its power: from its condemnation to the API's first answer elsewhere.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use pvc_e2e::lab::{Lab, Program};
use serde::Deserialize;

use super::probe;
use crate::figure::{Case, progress};
use crate::sample::Summary;

/// From the condemnation to the answer.
const GOAL: Duration = Duration::from_secs(2);
/// How long a host may take to come up again.
const BOOT: Duration = Duration::from_secs(120);
/// How long a question may take.
const QUESTION: Duration = Duration::from_secs(30);

/// A fence as `pvc node fence list` shows it.
#[derive(Deserialize)]
struct Fence {
    node: String,
    condemned_ms: u64,
}

/// Cuts the primary's power, again and again.
pub(super) fn measure(lab: &Lab, program: &Program, runs: usize) -> Result<()> {
    let (mut after_cut, mut after_condemned) = (Vec::new(), Vec::new());
    for run in 1..=runs {
        lab.await_rest();
        let victim = lab.primary();
        program.run(QUESTION, &["power", &victim, "cut"])?.ok()?;
        let cut_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let answered_ms = probe::answer(program)?.answered_ms;
        let condemned_ms = condemned(program, &victim, cut_ms)?;
        let since = |at: u64| Duration::from_millis(answered_ms.saturating_sub(at));
        progress(&format!(
            "switch: crash {run} of {victim}: API after {} ms, {} ms after its condemnation",
            since(cut_ms).as_millis(),
            since(condemned_ms).as_millis()
        ));
        after_cut.push(since(cut_ms));
        after_condemned.push(since(condemned_ms));
        program.run(BOOT, &["power", &victim, "on", "--wait"])?.ok()?;
        let ready = ["node", "ready", "--wait", victim.as_str()];
        lab.insist(&ready, BOOT, |lab| lab.node(&victim).domain_state == "ready");
    }
    let goal = Some(GOAL.as_secs_f64() * 1e3);
    for (case, goal, times) in
        [("crash-cut-to-api", None, after_cut), ("crash-condemned-to-api", goal, after_condemned)]
    {
        let times = Summary::of(times);
        Case { bench: "switch", case, goal: None }.time(times.p50);
        Case { bench: "switch", case: &format!("{case}-worst"), goal }.time(times.p99);
    }
    Ok(())
}

/// When the node was condemned, by the clock that all of the lab's hosts share.
fn condemned(program: &Program, node: &str, since_ms: u64) -> Result<u64> {
    let words = ["pvc", "--", "--quiet", "node", "fence", "list", "--format", "json"];
    let out = program.run(QUESTION, &words)?.ok()?;
    let fences: Vec<Fence> =
        serde_json::from_str(&out).with_context(|| format!("not understood: {out}"))?;
    let latest = fences.into_iter().filter(|fence| fence.node == node).map(|f| f.condemned_ms);
    latest.filter(|at| *at >= since_ms).max().with_context(|| format!("{node} was not fenced"))
}
