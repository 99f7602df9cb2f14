//! Requests about pools.

use crate::{Destructive, Method, Request};

/// All pools that match.
#[must_use]
pub fn list(limit: Option<&str>) -> Request {
    Request::new(Method::Get, &["storage", "ceph", "pool"]).maybe("limit", limit)
}

/// Makes a pool. `replication` is such as `copies=3,mincopies=2`, `tier` which devices it uses.
#[must_use]
pub fn add(name: &str, pgs: u32, replication: &str, tier: &str) -> Request {
    Request::new(Method::Post, &["storage", "ceph", "pool"])
        .with("pool", name)
        .with("pgs", pgs)
        .with("replcfg", replication)
        .with("tier", tier)
}

/// Removes a pool and all its volumes.
#[must_use]
pub fn remove(name: &str, _: &Destructive) -> Request {
    Request::new(Method::Delete, &["storage", "ceph", "pool", name])
        .with("yes-i-really-mean-it", "yes")
}

/// Changes a pool's number of placement groups, which moves its data.
#[must_use]
pub fn set_pgs(name: &str, pgs: u32, _: &Destructive) -> Request {
    Request::new(Method::Put, &["storage", "ceph", "pool", name]).with("pgs", pgs)
}
