//! What a daemon does before it says anything of itself: it reads its fate.
//!
//! While this node was away it may have been condemned, and others may be taking over its VMs.
//! Until that is over it says neither that it comes up nor that it serves, and runs nothing. It
//! tells what boot of its host it belongs to, which is proof if that is another one, and it writes
//! keepalives, by which it is known to live if it is the same.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pvc_common::id::NodeName;
use pvc_common::model::{Fence, Presence};
use pvc_common::state::Word;
use pvc_common::zk::{Seen, key};
use pvc_zk::{SubtreeError, Tree};
use tokio::time::{MissedTickBehavior, interval};

use super::presence;

/// How often it looks, and writes that it lives.
const EVERY: Duration = Duration::from_millis(500);

/// Waits until nothing is held against this node, for as long as it takes.
pub async fn await_fate<T: Tree>(tree: &T, me: &NodeName, presence: &Presence) {
    let mut pace = interval(EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = None;
    loop {
        pace.tick().await;
        match look(tree, me, presence).await {
            Ok(None) => {
                if told.is_some() {
                    tracing::info!(node.name = %me, "the fence of this node is over");
                }
                return;
            }
            Ok(Some(fence)) if told.as_ref() != Some(&fence) => {
                tracing::warn!(node.name = %me, "this node is condemned ({fence}); waiting");
                told = Some(fence);
            }
            Ok(Some(_)) => {}
            Err(error) => tracing::warn!(%error, "the fate of this node cannot be read; trying on"),
        }
    }
}

/// How far the fence of this node is; `None` if there is none, or the node is new.
async fn look<T: Tree>(
    tree: &T,
    me: &NodeName,
    presence: &Presence,
) -> Result<Option<String>, SubtreeError> {
    let keys = [
        key::node(me).into_path(),
        key::node_fence(me).into_path(),
        key::node_keepalive(me).into_path(),
    ];
    let entries = tree.get_many(&keys).await?;
    let [node, fence, keepalive] = &entries[..] else { return Ok(None) };
    let (Some(_), Some(fence)) = (node, fence) else { return Ok(None) };
    let mut ops = presence::told(tree, me, presence).await?;
    let seen: Seen<u64> = Seen::read(keepalive.as_ref().map(|e| (&e.data[..], e.version)));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    ops.push(key::node_keepalive(me).put(&seen, &now));
    tree.commit(ops).await?;
    let fence: Seen<Fence> = Seen::read(Some((&fence.data[..], fence.version)));
    Ok(Some(match fence.get() {
        Some(fence) => format!("{}, by {}: {}", fence.phase.text(), fence.by, fence.why),
        None => "its record cannot be understood".to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Expected, Op, Text};
    use pvc_zk::FakeTree;
    use tokio::time::timeout;

    use super::*;

    fn presence(boot: &str) -> Presence {
        Presence { boot: boot.to_owned(), ..Presence::default() }
    }

    async fn tree() -> FakeTree {
        let tree = FakeTree::new();
        for path in ["/nodes", "/nodes/hv1"] {
            tree.commit(vec![Op::put(path, "", Expected::Absent)]).await.unwrap();
        }
        tree
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_against_which_nothing_is_held_goes_on_at_once() {
        let (tree, me) = (tree().await, "hv1".parse().unwrap());
        timeout(EVERY, await_fate(&tree, &me, &presence("b"))).await.unwrap();
        assert_eq!(tree.get("/nodes/hv1/presence").await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_condemned_node_tells_its_boot_and_waits_for_the_end_of_its_fence() {
        let (tree, me): (_, NodeName) = (tree().await, "hv1".parse().unwrap());
        tree.commit(vec![Op::put("/nodes/hv1/fence", "{}", Expected::Absent)]).await.unwrap();
        let waiting = tokio::spawn({
            let (tree, me) = (tree.clone(), me.clone());
            async move { await_fate(&tree, &me, &presence("second")).await }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!waiting.is_finished());
        let told = tree.get("/nodes/hv1/presence").await.unwrap().unwrap();
        assert_eq!(told.data, presence("second").encode().into_bytes());
        let beats = tree.get("/nodes/hv1/keepalive").await.unwrap().unwrap().version.0;
        assert!(beats > 100, "{beats} keepalives");
        let fence = tree.get("/nodes/hv1/fence").await.unwrap().unwrap();
        let path = "/nodes/hv1/fence".to_owned();
        tree.commit(vec![Op::Delete { path, version: fence.version }]).await.unwrap();
        timeout(EVERY * 2, waiting).await.unwrap().unwrap();
    }
}
