//! Requests about the cluster as a whole.

use crate::{Destructive, Method, Request};

/// The whole status.
#[must_use]
pub fn status() -> Request {
    Request::new(Method::Get, &["status"])
}

/// Which node is the primary coordinator; the one request that needs no key.
#[must_use]
pub fn primary_node() -> Request {
    Request::new(Method::Get, &["status", "primary_node"])
}

/// Turns maintenance mode on or off.
#[must_use]
pub fn set_maintenance(on: bool) -> Request {
    Request::new(Method::Post, &["status"]).with("state", if on { "true" } else { "false" })
}

/// Creates the base of an empty cluster; `overwrite` deletes what is there.
#[must_use]
pub fn initialize(overwrite: bool, _: &Destructive) -> Request {
    Request::new(Method::Post, &["initialize"])
        .with("yes-i-really-mean-it", "yes")
        .switch("overwrite", overwrite)
}

/// Everything the cluster knows, as a JSON text of paths and values.
#[must_use]
pub fn backup() -> Request {
    Request::new(Method::Get, &["backup"])
}

/// Replaces everything the cluster knows by a backup.
#[must_use]
pub fn restore(backup: String, _: &Destructive) -> Request {
    Request::new(Method::Post, &["restore"])
        .with("yes-i-really-mean-it", "yes")
        .form("cluster_data", backup)
}

/// Every fault, the last reported first.
#[must_use]
pub fn faults() -> Request {
    Request::new(Method::Get, &["faults"]).with("sort_key", "last_reported")
}

/// The fault with this identifier, as a list of at most one.
#[must_use]
pub fn fault(id: &str) -> Request {
    Request::new(Method::Get, &["faults", id])
}

/// Acknowledges one fault.
#[must_use]
pub fn acknowledge_fault(id: &str) -> Request {
    Request::new(Method::Put, &["faults", id])
}

/// Acknowledges every fault.
#[must_use]
pub fn acknowledge_all_faults(_: &Destructive) -> Request {
    Request::new(Method::Put, &["faults"])
}

/// Deletes one fault.
#[must_use]
pub fn delete_fault(id: &str) -> Request {
    Request::new(Method::Delete, &["faults", id])
}

/// Deletes every fault.
#[must_use]
pub fn delete_all_faults(_: &Destructive) -> Request {
    Request::new(Method::Delete, &["faults"])
}

/// Every task that runs or waits.
#[must_use]
pub fn tasks() -> Request {
    Request::new(Method::Get, &["tasks"])
}

/// The state of one task.
#[must_use]
pub fn task(id: &str) -> Request {
    Request::new(Method::Get, &["tasks", id])
}
