//! What this node tells of its host, and of which boot it is.

use pvc_common::id::NodeName;
use pvc_common::model::{FenceLease, Presence};
use pvc_common::zk::{Op, Seen, key};
use pvc_zk::{Tree, TreeError};

/// The writes by which a node tells that, if it has not told it yet.
///
/// What a former boot promised is promised no more: whoever relied on it would take its end for
/// that of this boot. So both change in one transaction, before the node says that it serves.
///
/// # Errors
/// When what is there cannot be read.
pub(super) async fn told<T: Tree>(
    tree: &T,
    me: &NodeName,
    presence: &Presence,
) -> Result<Vec<Op>, TreeError> {
    let (told, lease) = (key::node_presence(me), key::node_lease(me));
    let paths = [told.path().to_owned(), lease.path().to_owned()];
    let entries = tree.get_many(&paths).await?;
    let found = |at: usize| {
        let entry = entries.get(at).and_then(Option::as_ref);
        entry.map(|entry| (&entry.data[..], entry.version))
    };
    let before: Seen<Presence> = Seen::read(found(0));
    let promised: Seen<Option<FenceLease>> = Seen::read(found(1));
    let same_boot = before.get().is_some_and(|before| before.boot == presence.boot);
    let mut ops = Vec::new();
    if before.get() != Some(presence) {
        ops.push(told.put(&before, presence));
    }
    if !same_boot && !matches!(promised, Seen::Absent | Seen::Value { value: None, .. }) {
        ops.push(lease.put(&promised, &None));
    }
    Ok(ops)
}
