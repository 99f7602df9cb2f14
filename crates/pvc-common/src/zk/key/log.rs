//! Keys below `/logs/{node}`.

use std::sync::Arc;

use super::{Key, LOGS};
use crate::id::NodeName;

/// The suffix of a node's log ring.
pub const LOG_MESSAGES: &str = "/messages";

/// `/logs/{node}`: a parent. Written by: node, at start.
#[must_use]
pub fn node_log(node: &NodeName) -> Key<()> {
    Key::new(format!("{LOGS}/{node}"))
}

/// `/logs/{node}/messages`: its last log lines, joined by line feeds. Written by: node.
#[must_use]
pub fn node_log_messages(node: &NodeName) -> Key<Arc<str>> {
    Key::new(format!("{LOGS}/{node}{LOG_MESSAGES}"))
}
