//! The sign of life: one small write per interval, which nothing else can delay.
//!
//! It gathers nothing and waits for nobody but ZooKeeper itself, and for that no longer than an
//! interval. It is the first thing a serving daemon does and the last it stops.
//!
//! A node that sees itself suspected writes at once, and often: whoever can write is alive,
//! although others may not hear its answers to their probes.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::NodeName;
use pvc_common::model::Node;
use pvc_common::state::{DaemonState, Word};
use pvc_common::view::View;
use pvc_common::zk::{Seen, key};
use pvc_runtime::drain::Drain;
use pvc_runtime::log::mark;
use pvc_zk::Tree;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument;

use crate::own_keys::{OwnKeys, PublishError};

/// Time between two signs of life of a node that is suspected.
const REBUT_EVERY: Duration = Duration::from_millis(500);

/// How keepalives are sent.
pub struct Settings {
    /// This node.
    pub node: NodeName,
    /// Time between two of them.
    pub every: Duration,
    /// Whether each is logged.
    pub log: bool,
    /// Whether the node waits until it is let in to its storage before it serves.
    pub storage: bool,
}

/// Sends keepalives until drained. The first one makes the daemon's state `run`.
///
/// `kept` is told when the last keepalive was sent that ZooKeeper has acknowledged.
pub async fn run<T: Tree>(
    tree: T,
    settings: Settings,
    mut views: watch::Receiver<Option<Arc<View>>>,
    kept: watch::Sender<Option<std::time::Instant>>,
    drain: Drain,
) {
    let Settings { node: me, every, log, storage } = settings;
    let mut keys = OwnKeys::new(tree.clone());
    let mut due = Instant::now();
    let beats = async {
        loop {
            if let Some(why) = wait(due, &me, &mut views).await {
                tracing::info!(node.name = %me, "{why}: keepalive sent at once");
            }
            let sent = Instant::now();
            match timeout(every, beat(&tree, &mut keys, &me, storage)).await {
                Ok(Ok(())) => {
                    if log {
                        tracing::info!(mark = mark::TICK, node.name = %me, "keepalive sent");
                    }
                    kept.send_replace(Some(sent.into_std()));
                }
                Ok(Err(error)) => tracing::warn!(%error, "keepalive not sent"),
                Err(_) => tracing::warn!(after_s = every.as_secs(), "keepalive not sent in time"),
            }
            due = sent + every;
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = beats.instrument(tracing::info_span!("keepalive")) => {}
    }
}

/// Waits until the next keepalive is due, or has to be sent sooner: then it says why.
async fn wait(
    due: Instant,
    me: &NodeName,
    views: &mut watch::Receiver<Option<Arc<View>>>,
) -> Option<&'static str> {
    let soon = Instant::now() + REBUT_EVERY;
    let hurry = async {
        let own =
            |view: &Option<Arc<View>>| view.as_ref()?.nodes.get(me).and_then(|own| haste(own));
        let seen = views.wait_for(|view| own(view).is_some()).await.map(|view| own(&view));
        // Nobody follows the tree any more.
        let Ok(why) = seen else { return std::future::pending().await };
        sleep_until(soon).await;
        why
    };
    tokio::select! {
        biased;
        () = sleep_until(due) => None,
        why = hurry => why,
    }
}

/// Why a node's keepalive cannot wait.
fn haste(own: &Node) -> Option<&'static str> {
    if !own.liveness.suspicions.is_empty() {
        return Some("suspected");
    }
    let acquitted = own.liveness.fence == Seen::Absent && own.liveness.shut_out == Seen::Absent;
    match own.daemon_state.copied() {
        Some(DaemonState::Init | DaemonState::Dead | DaemonState::Fenced) if acquitted => {
            Some("may serve")
        }
        _ => None,
    }
}

async fn beat<T: Tree>(
    tree: &T,
    keys: &mut OwnKeys<T>,
    me: &NodeName,
    storage: bool,
) -> Result<(), PublishError> {
    // Only its change counts, so a clock before the epoch is no reason to be silent.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let path = key::node_keepalive(me).into_path();
    keys.rewrite(&[(path, now.to_string())]).await?;
    serve(tree, me, storage).await
}

/// A daemon that sends keepalives is serving, unless it is shutting down, has said that it
/// stopped while this beat was under way, or is condemned: then it waits for its fate, and where
/// it has storage until it is let in there.
async fn serve<T: Tree>(tree: &T, me: &NodeName, storage: bool) -> Result<(), PublishError> {
    let key = key::node_daemon_state(me);
    let against = [key::node_fence(me).into_path(), key::node_shut_out(me).into_path()];
    let paths = [&[key.path().to_owned()], &against[..]].concat();
    let entries = tree.get_many(&paths).await?;
    let entry = entries.first().and_then(Option::as_ref);
    let is_there = |at: usize| entries.get(at).is_some_and(Option::is_some);
    let (condemned, shut_out) = (is_there(1), storage && is_there(2));
    let seen = Seen::<DaemonState>::read(entry.map(|entry| (entry.data.as_slice(), entry.version)));
    match seen.copied() {
        Some(DaemonState::Run | DaemonState::Shutdown | DaemonState::Stop) => return Ok(()),
        Some(DaemonState::Init | DaemonState::Dead | DaemonState::Fenced) | None => {}
    }
    if condemned || shut_out {
        return Ok(());
    }
    let before = seen.copied().map_or("unknown", Word::text);
    // A fence that begins meanwhile changes the state, and this is superseded.
    tree.commit(vec![key.put(&seen, &DaemonState::Run)]).await?;
    tracing::info!(node.name = %me, "daemon state: {before} -> run");
    Ok(())
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Expected, Op};
    use pvc_runtime::drain::drain;
    use pvc_zk::FakeTree;
    use tracing::subscriber::set_default;

    use super::*;
    use crate::told::Log;

    async fn state_after_a_beat(before: DaemonState, fence: bool) -> Option<DaemonState> {
        let (tree, me): (_, NodeName) = (FakeTree::new(), "hv1".parse().unwrap());
        let key = key::node_daemon_state(&me);
        let parents = ["/nodes", "/nodes/hv1"].map(|path| Op::put(path, "", Expected::Absent));
        tree.commit(parents.into_iter().chain([key.create(&before)]).collect()).await.unwrap();
        if fence {
            let path = key::node_fence(&me).into_path();
            tree.commit(vec![Op::put(path, "{}", Expected::Absent)]).await.unwrap();
        }
        beat(&tree, &mut OwnKeys::new(tree.clone()), &me, true).await.unwrap();
        let entry = tree.get(key.path()).await.unwrap().unwrap();
        Seen::<DaemonState>::read(Some((&entry.data[..], entry.version))).copied()
    }

    #[tokio::test]
    async fn the_first_beat_says_that_the_daemon_serves() {
        assert_eq!(state_after_a_beat(DaemonState::Init, false).await, Some(DaemonState::Run));
    }

    #[tokio::test]
    async fn a_last_beat_does_not_bring_a_stopped_daemon_back_to_life() {
        for ending in [DaemonState::Shutdown, DaemonState::Stop] {
            assert_eq!(state_after_a_beat(ending, false).await, Some(ending));
        }
    }

    #[tokio::test]
    async fn a_condemned_daemon_does_not_acquit_itself() {
        for state in [DaemonState::Dead, DaemonState::Fenced, DaemonState::Init] {
            assert_eq!(state_after_a_beat(state, true).await, Some(state));
        }
        assert_eq!(state_after_a_beat(DaemonState::Fenced, false).await, Some(DaemonState::Run));
    }

    #[tokio::test(start_paused = true)]
    async fn each_keepalive_is_logged_where_that_is_wanted() {
        for (wanted, expected) in [(true, 12), (false, 0)] {
            let log = Log::default();
            let _logging = set_default(log.clone());
            let (tree, me): (_, NodeName) = (FakeTree::new(), "hv1".parse().unwrap());
            let parents = ["/nodes", "/nodes/hv1"].map(|path| Op::put(path, "", Expected::Absent));
            tree.commit(parents.into()).await.unwrap();
            let settings =
                Settings { node: me, every: Duration::from_secs(5), log: wanted, storage: false };
            let ((_views, seen), (kept, _)) = (watch::channel(None), watch::channel(None));
            let (_trigger, drained) = drain();
            let keeping = run(tree.clone(), settings, seen, kept, drained);
            timeout(Duration::from_secs(58), keeping).await.unwrap_err();
            let told = log.take().into_iter().filter(|message| message == "keepalive sent").count();
            assert_eq!(told, expected);
            assert_eq!(tree.get("/nodes/hv1/keepalive").await.unwrap().unwrap().version.0, 11);
        }
    }
}
