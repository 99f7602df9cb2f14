//! The sign of life: one small write per interval, which nothing else can delay.
//!
//! It gathers nothing and waits for nobody but ZooKeeper itself, and for that no longer than an
//! interval. It is the first thing a serving daemon does and the last it stops.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::NodeName;
use pvc_common::state::{DaemonState, Word};
use pvc_common::zk::key;
use pvc_runtime::drain::Drain;
use pvc_runtime::log::mark;
use pvc_zk::Tree;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::Instrument;

use crate::own_keys::{OwnKeys, PublishError};

/// Sends keepalives until drained. The first one makes the daemon's state `run`.
pub async fn run<T: Tree>(tree: T, me: NodeName, every: Duration, log_beats: bool, drain: Drain) {
    let mut keys = OwnKeys::new(tree.clone());
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let beats = async {
        loop {
            ticks.tick().await;
            match timeout(every, beat(&tree, &mut keys, &me)).await {
                Ok(Ok(())) if log_beats => {
                    tracing::info!(mark = mark::TICK, node.name = %me, "keepalive sent");
                }
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "keepalive not sent"),
                Err(_) => tracing::warn!(after_s = every.as_secs(), "keepalive not sent in time"),
            }
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = beats.instrument(tracing::info_span!("keepalive")) => {}
    }
}

async fn beat<T: Tree>(tree: &T, keys: &mut OwnKeys<T>, me: &NodeName) -> Result<(), PublishError> {
    // Only its change counts, so a clock before the epoch is no reason to be silent.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let path = key::node_keepalive(me).into_path();
    keys.rewrite(&[(path, now.to_string())]).await?;
    serve(tree, me).await
}

/// A daemon that sends keepalives is serving, unless it is shutting down, or has said that it
/// stopped while this beat was under way.
async fn serve<T: Tree>(tree: &T, me: &NodeName) -> Result<(), PublishError> {
    let key = key::node_daemon_state(me);
    let entry = tree.get(key.path()).await?;
    let seen = pvc_common::zk::Seen::<DaemonState>::read(
        entry.as_ref().map(|entry| (entry.data.as_slice(), entry.version)),
    );
    match seen.copied() {
        Some(DaemonState::Run | DaemonState::Shutdown | DaemonState::Stop) => return Ok(()),
        Some(DaemonState::Init | DaemonState::Dead | DaemonState::Fenced) | None => {}
    }
    let before = seen.copied().map_or("unknown", Word::text);
    tree.commit(vec![key.put(&seen, &DaemonState::Run)]).await?;
    tracing::info!(node.name = %me, "daemon state: {before} -> run");
    Ok(())
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Expected, Op, Seen};
    use pvc_zk::FakeTree;

    use super::*;

    async fn state_after_a_beat(before: DaemonState) -> Option<DaemonState> {
        let (tree, me): (_, NodeName) = (FakeTree::new(), "hv1".parse().unwrap());
        let key = key::node_daemon_state(&me);
        let parents = ["/nodes", "/nodes/hv1"].map(|path| Op::put(path, "", Expected::Absent));
        tree.commit(parents.into_iter().chain([key.create(&before)]).collect()).await.unwrap();
        beat(&tree, &mut OwnKeys::new(tree.clone()), &me).await.unwrap();
        let entry = tree.get(key.path()).await.unwrap().unwrap();
        Seen::<DaemonState>::read(Some((&entry.data[..], entry.version))).copied()
    }

    #[tokio::test]
    async fn the_first_beat_says_that_the_daemon_serves() {
        assert_eq!(state_after_a_beat(DaemonState::Init).await, Some(DaemonState::Run));
    }

    #[tokio::test]
    async fn a_last_beat_does_not_bring_a_stopped_daemon_back_to_life() {
        for ending in [DaemonState::Shutdown, DaemonState::Stop] {
            assert_eq!(state_after_a_beat(ending).await, Some(ending));
        }
    }
}
