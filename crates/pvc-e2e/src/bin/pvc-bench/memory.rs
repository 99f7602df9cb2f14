//! How much memory the daemons keep: with an empty cluster, and with a large one.
//!
//! Resident is what the goals are about; *own* is the part of it that is not the pages of
//! programs and libraries, which all processes share.

use std::time::Duration;

use anyhow::Result;

use crate::daemon::Daemon;
use crate::figure::{Case, progress};
use crate::http::Connection;
use crate::rig::Rig;

/// A daemon is at rest when it has had time for what follows its start.
const REST: Duration = Duration::from_secs(15);
/// How often the whole list is asked for.
const LISTS: usize = 10;
const NODE_GOAL_MB: f64 = 15.0;
const API_GOAL_MB: f64 = 60.0;

/// Measures every case of the group.
pub(crate) async fn measure() -> Result<()> {
    for vms in [0, 10_000] {
        let rig = Rig::with(vms).await?;
        let noded = rig.serving_noded()?;
        let api = rig.api().await?;
        progress("memory: the daemons come to rest ...");
        tokio::time::sleep(REST).await;
        tell(&format!("pvcnoded-{vms}"), Some(NODE_GOAL_MB), &noded, "VmRSS")?;
        tell(&format!("pvcnoded-{vms}-own"), None, &noded, "RssAnon")?;
        tell(&format!("pvcnoded-{vms}-peak"), None, &noded, "VmHWM")?;
        tell(&format!("pvcapid-{vms}"), Some(API_GOAL_MB), &api.daemon, "VmRSS")?;
        tell(&format!("pvcapid-{vms}-own"), None, &api.daemon, "RssAnon")?;
        let mut connection = Connection::open(api.address)?;
        for _ in 0..LISTS {
            connection.get("/api/v1/vm")?;
        }
        tell(&format!("pvcapid-{vms}-asked"), Some(API_GOAL_MB), &api.daemon, "VmRSS")?;
        tell(&format!("pvcapid-{vms}-peak"), None, &api.daemon, "VmHWM")?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "of a few megabytes nothing is lost")]
fn tell(case: &str, goal: Option<f64>, daemon: &Daemon, figure: &str) -> Result<()> {
    let megabytes = daemon.memory_kib(figure)? as f64 * 1024.0 / 1e6;
    Case { bench: "memory", case, goal }.tell(megabytes, "MB");
    Ok(())
}
