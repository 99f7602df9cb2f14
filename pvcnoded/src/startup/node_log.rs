//! Publishing this daemon's log in the tree, for `pvc node log`.

use pvc_common::id::NodeName;
use pvc_common::zk::key;
use pvc_runtime::log::{Ring, Sink};
use pvc_zk::{Tree, TreeError};

use crate::own_keys::{OwnKeys, PublishError};

/// Publishes below `/logs/{node}`.
pub struct NodeLog<T> {
    keys: OwnKeys<T>,
    parent: String,
    messages: String,
}

impl<T: Tree> NodeLog<T> {
    /// Publishes the log of `node`.
    pub fn new(tree: T, node: &NodeName) -> Self {
        Self {
            keys: OwnKeys::new(tree),
            parent: key::node_log(node).into_path(),
            messages: key::node_log_messages(node).into_path(),
        }
    }
}

impl<T: Tree> Sink for NodeLog<T> {
    type Error = PublishError;

    async fn write(&mut self, text: String) -> Result<(), PublishError> {
        let values = [(self.parent.clone(), String::new()), (self.messages.clone(), text)];
        self.keys.publish(&values).await.map(drop)
    }
}

/// Puts what an earlier run of the daemon published in front of this one's lines.
///
/// # Errors
/// When it cannot be read.
pub async fn recall<T: Tree>(tree: &T, node: &NodeName, ring: &Ring) -> Result<(), TreeError> {
    if let Some(entry) = tree.get(key::node_log_messages(node).path()).await? {
        ring.recall(&String::from_utf8_lossy(&entry.data));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pvc_common::zk::{Expected, Op};
    use pvc_zk::FakeTree;

    use super::*;

    #[tokio::test]
    async fn the_log_survives_a_restart_of_the_daemon() {
        let tree = FakeTree::new();
        tree.commit(vec![Op::put(key::LOGS, "", Expected::Absent)]).await.unwrap();
        let node: NodeName = "hv1".parse().unwrap();
        let first = Ring::new(10);
        recall(&tree, &node, &first).await.unwrap();
        first.push("first run".to_owned());
        NodeLog::new(tree.clone(), &node).write(first.text()).await.unwrap();
        let second = Ring::new(10);
        second.push("second run".to_owned());
        recall(&tree, &node, &second).await.unwrap();
        NodeLog::new(tree.clone(), &node).write(second.text()).await.unwrap();
        let entry = tree.get("/logs/hv1/messages").await.unwrap().unwrap();
        assert_eq!(entry.data, b"first run\nsecond run");
    }
}
