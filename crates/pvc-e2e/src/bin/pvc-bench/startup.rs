//! How soon the daemons serve, from the session that ZooKeeper gives them.

use std::time::Duration;

use anyhow::Result;

use crate::daemon::{SERVES, SESSION};
use crate::figure::{Case, progress};
use crate::rig::Rig;

/// The least of so many starts counts: what others take of the machine only adds.
const STARTS: usize = 5;

/// Measures every case of the group.
pub(crate) async fn measure() -> Result<()> {
    for (vms, goal_ms) in [(82, 50.0), (10_000, 1_000.0)] {
        let rig = Rig::with(vms).await?;
        progress("startup: pvcnoded ...");
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let daemon = rig.noded()?;
            let began = daemon.said(SESSION)?;
            times.push(daemon.said(SERVES)? - began);
        }
        tell(&format!("pvcnoded-{vms}"), goal_ms, &times);
        progress("startup: pvcapid ...");
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let api = rig.api().await?;
            times.push(api.ready - api.daemon.said(SESSION)?);
        }
        tell(&format!("pvcapid-{vms}"), goal_ms, &times);
    }
    Ok(())
}

fn tell(case: &str, goal_ms: f64, times: &[Duration]) {
    let least = times.iter().min().copied().unwrap_or_default();
    Case { bench: "startup", case, goal: Some(goal_ms) }.time(least);
}
