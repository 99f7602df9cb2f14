//! How soon the VM of a node that lost power, and its BMC with it, writes elsewhere.
//!
//! Measured on the lab, whose hosts share this machine's clock: the only place where times of
//! several nodes may be compared.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use pvc_common::api::Fence;
use pvc_e2e::lab::{Lab, until_every};

use crate::figure::{Case, progress};
use crate::sample::Summary;

const BENCH: &str = "failover";

/// How often the VM's record is looked at.
const EVERY: Duration = Duration::from_millis(20);

/// How long a VM may be gone, with settings of old.
const LIMIT: Duration = Duration::from_secs(180);

/// What the settings that are documented since ever come to.
const LEGACY: [(&str, &str); 2] = [("keepalive_interval", "5"), ("fence_intervals", "6")];

/// Turns the uptime mesh off.
const MESH_OFF: &str = "      mesh: False\n";

/// How it is measured.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// How many nodes lose power, one after the other.
    #[arg(long, default_value_t = 20)]
    runs: u32,
    /// With keepalives only, as upstream: an interval of 5 s, of which 6 may be missed.
    #[arg(long)]
    legacy: bool,
    /// Always the primary coordinator, instead of a node that plays no such part.
    #[arg(long)]
    primary: bool,
}

impl Options {
    /// What half of the runs, and 99 % of them, should not exceed, in seconds.
    fn goals(self) -> [f64; 2] {
        match self {
            Self { legacy: true, .. } => [60.0, 60.0],
            Self { primary: true, .. } => [10.0, 20.0],
            Self { .. } => [5.0, 10.0],
        }
    }
}

/// The parts of one failover; together they are all of it.
pub(crate) struct Course {
    /// From the cut until the node was condemned.
    pub(crate) detection: Duration,
    /// Until its death was proved.
    pub(crate) proof: Duration,
    /// Until another node's QEMU began.
    pub(crate) placement: Duration,
    /// Until the guest wrote.
    pub(crate) start: Duration,
    /// When the node was cut off and when the guest wrote, since the epoch.
    pub(crate) cut: Duration,
    pub(crate) wrote: Duration,
    /// What the cluster tells of it.
    pub(crate) fence: Fence,
}

impl Course {
    fn parts(&self) -> [(&'static str, Duration); 5] {
        let Self { detection, proof, placement, start, .. } = *self;
        let total = detection + proof + placement + start;
        [
            ("detection", detection),
            ("proof", proof),
            ("placement", placement),
            ("start", start),
            ("total", total),
        ]
    }
}

/// Measures as many failovers as asked for.
pub(crate) fn measure(options: Options) -> Result<()> {
    ensure!(options.runs > 0, "no run is no measurement");
    let lab = Lab::take();
    if options.legacy {
        lab.reconfigure(legacy);
    }
    let mut courses = Vec::new();
    for run in 1..=options.runs {
        progress(&format!("{BENCH}: run {run} of {} ...", options.runs));
        let course = one(&lab, options)?;
        for (part, time) in course.parts() {
            tell(&format!("run-{run:02}-{part}"), None, time);
        }
        courses.push(course.parts());
        lab.restore();
    }
    for (index, (part, _)) in courses[0].iter().enumerate() {
        let summary = Summary::of(courses.iter().map(|parts| parts[index].1).collect());
        let [usual, worst] = options.goals().map(|goal| (*part == "total").then_some(goal));
        tell(&format!("{part}-p50"), usual, summary.p50);
        tell(&format!("{part}-p99"), worst, summary.p99);
    }
    Ok(())
}

/// Cuts a node off and follows what becomes of its VM.
fn one(lab: &Lab, options: Options) -> Result<Course> {
    lab.await_rest();
    let node = if options.primary { lab.primary() } else { lab.plain_node() };
    let vm = lab.writer("failover", &node);
    // Without the mesh a node makes no promise that a device keeps: its BMC has to live.
    if !options.legacy {
        lab.fault(&["bmc", &node, "down"]);
    }
    follow(lab, &node, &vm)
}

/// Cuts a node's power and follows what becomes of its VM, which writes.
pub(crate) fn follow(lab: &Lab, node: &str, vm: &str) -> Result<Course> {
    let vigil = lab.vigil();
    let cut = now()?;
    lab.fault(&["power", node, "cut"]);
    let wrote = until_every(EVERY, "the VM to write elsewhere", LIMIT, || {
        let boots = lab.boots(vm);
        if boots.len() > 1 { Ok(now()) } else { Err(format!("{boots:?}")) }
    })?;
    let began = lab.qemu_began(vm).context("the VM that writes has no QEMU")?;
    let fence = vigil.wait_for(node, "finished", |fence| fence.phase == "finished");
    let condemned = Duration::from_millis(fence.condemned_ms);
    let proved = Duration::from_millis(fence.proved_ms.context("it was finished unproved")?);
    Ok(Course {
        detection: condemned.saturating_sub(cut),
        proof: proved.saturating_sub(condemned),
        placement: began.saturating_sub(proved),
        start: wrote.saturating_sub(began),
        cut,
        wrote,
        fence,
    })
}

fn legacy(settings: &str) -> String {
    let mut lines = String::new();
    for line in settings.lines() {
        let setting = LEGACY.iter().find(|(name, _)| line.trim_start().starts_with(name));
        let indent = line.len() - line.trim_start().len();
        match setting {
            Some((name, value)) => lines += &format!("{:indent$}{name}: {value}\n", ""),
            None => lines += &format!("{line}\n"),
        }
        if line == "    high_availability:" {
            lines += MESH_OFF;
        }
    }
    lines
}

fn tell(case: &str, goal: Option<f64>, time: Duration) {
    Case { bench: BENCH, case, goal }.tell(time.as_secs_f64(), "s");
}

fn now() -> Result<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is set before 1970")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_old_have_no_mesh() {
        let settings = "pvc:\n  system:\n    intervals:\n      keepalive_interval: 1\n      x: 1\n    \
                        high_availability:\n      storm_window: 5\n";
        let wanted = "pvc:\n  system:\n    intervals:\n      keepalive_interval: 5\n      x: 1\n    \
                      high_availability:\n      mesh: False\n      storm_window: 5\n";
        assert_eq!(legacy(settings), wanted);
    }
}
