//! Requests about nodes.

use crate::{Destructive, Method, Request};

/// Which nodes to list; everything given must match.
#[derive(Clone, Debug, Default)]
pub struct NodeFilter {
    /// A regular expression on the name.
    pub limit: Option<String>,
    /// A daemon state, such as `run`.
    pub daemon_state: Option<String>,
    /// A coordinator state, such as `primary`.
    pub coordinator_state: Option<String>,
    /// A domain state, such as `ready`.
    pub domain_state: Option<String>,
}

/// All nodes that match.
#[must_use]
pub fn list(filter: &NodeFilter) -> Request {
    Request::new(Method::Get, &["node"])
        .maybe("limit", filter.limit.as_ref())
        .maybe("daemon_state", filter.daemon_state.as_ref())
        .maybe("coordinator_state", filter.coordinator_state.as_ref())
        .maybe("domain_state", filter.domain_state.as_ref())
}

/// One node, as a list of one.
#[must_use]
pub fn info(node: &str) -> Request {
    Request::new(Method::Get, &["node", node])
}

/// The last `lines` lines of a node's log.
#[must_use]
pub fn log(node: &str, lines: u32) -> Request {
    Request::new(Method::Get, &["node", node, "log"]).with("lines", lines)
}

/// Makes a coordinator the primary (`primary`), or has it step down (`secondary`).
#[must_use]
pub fn set_coordinator_state(node: &str, state: &str) -> Request {
    Request::new(Method::Post, &["node", node, "coordinator-state"]).with("state", state)
}

/// Takes a node out of service (`flush`) or back (`ready`).
#[must_use]
pub fn set_domain_state(node: &str, state: &str) -> Request {
    Request::new(Method::Post, &["node", node, "domain-state"]).with("state", state)
}

/// The fences of one node or of all, under way and over, the newest first.
#[must_use]
pub fn fences(node: Option<&str>, limit: Option<usize>) -> Request {
    Request::new(Method::Get, &["fence"]).maybe("node", node).maybe("limit", limit)
}

/// One fence, as a list of one.
#[must_use]
pub fn fence(id: &str) -> Request {
    Request::new(Method::Get, &["fence", id])
}

/// Has a node fenced, whoever hears it.
#[must_use]
pub fn order_fence(node: &str, _: &Destructive) -> Request {
    order(node, "fence").with("yes-i-really-mean-it", "yes")
}

/// Says that a node is off, which is proof.
#[must_use]
pub fn confirm_dead(node: &str, _: &Destructive) -> Request {
    order(node, "confirm-dead").with("yes-i-really-mean-it", "yes")
}

/// Takes back an order that nobody has acted on.
#[must_use]
pub fn cancel_fence(node: &str) -> Request {
    order(node, "cancel")
}

fn order(node: &str, action: &str) -> Request {
    Request::new(Method::Post, &["node", node, "fence"]).with("action", action)
}
