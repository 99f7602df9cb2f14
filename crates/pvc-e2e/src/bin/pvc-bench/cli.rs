//! How long whole commands take, from their start to their end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::api::Request;
use crate::figure::{Case, progress};
use crate::rig::{Rig, program};
use crate::sample::Summary;

/// Series of each case, and commands in each.
const SERIES: usize = 5;
const COMMANDS: usize = 20;
/// What a command may take beside what it asks the API.
const GOAL: Duration = Duration::from_millis(5);

/// Measures every case of the group.
pub(crate) async fn measure() -> Result<()> {
    const VMS: usize = 82;
    let rig = Rig::with(VMS).await?;
    let api = rig.api().await?;
    let store = rig.folder().join("client");
    let (address, port) = (api.address.ip().to_string(), api.address.port().to_string());
    run(&store, &["connection", "add", "bench", "--address", &address, "--port", &port])?;
    tell("help", GOAL, summary(&store, &["--help"])?);
    let case = format!("vm-list-{VMS}");
    let list = Request { case: case.clone(), path: "/api/v1/vm", requests: 100 };
    let asked = list.summary(api.address)?;
    tell(&case, GOAL + asked.p50, summary(&store, &["--connection", "bench", "vm", "list"])?);
    Ok(())
}

fn tell(case: &str, goal: Duration, summary: Summary) {
    let goal = Some(goal.as_secs_f64() * 1e3);
    Case { bench: "cli", case, goal }.time(summary.p50);
    let case = format!("{case}-p99");
    Case { bench: "cli", case: &case, goal: None }.time(summary.p99);
}

fn summary(store: &Path, arguments: &[&str]) -> Result<Summary> {
    progress(&format!("cli: pvc {} ...", arguments.join(" ")));
    let mut series = Vec::new();
    for _ in 0..SERIES {
        let times = (0..COMMANDS).map(|_| run(store, arguments));
        series.push(Summary::of(times.collect::<Result<_>>()?));
    }
    Ok(Summary::least(series))
}

/// Runs a command as a script would, and returns how long that took.
fn run(store: &Path, arguments: &[&str]) -> Result<Duration> {
    let mut command = Command::new(program("pvc")?);
    command.args(arguments).env("PVC_CLIENT_DIR", store);
    command.stdin(Stdio::null());
    let began = Instant::now();
    let output = command.output().context("cannot start pvc")?;
    let time = began.elapsed();
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("pvc {} failed: {why}", arguments.join(" "));
    }
    Ok(time)
}
