//! Requests about storage: what Ceph says of itself, its switches, benchmarks, and by module
//! OSDs, pools, volumes and their snapshots.

use crate::{Destructive, Method, Request};

pub mod osd;
pub mod pool;
pub mod snapshot;
pub mod volume;

/// The state of Ceph, as its text for people.
#[must_use]
pub fn status() -> Request {
    Request::new(Method::Get, &["storage", "ceph", "status"])
}

/// How full Ceph is, as its text for people.
#[must_use]
pub fn utilization() -> Request {
    Request::new(Method::Get, &["storage", "ceph", "utilization"])
}

/// Sets or unsets a property of all OSDs, such as `noout`.
#[must_use]
pub fn set_option(option: &str, on: bool) -> Request {
    Request::new(Method::Post, &["storage", "ceph", "option"])
        .with("option", option)
        .with("action", if on { "set" } else { "unset" })
}

/// All benchmarks, or the one of this name as a list of one.
#[must_use]
pub fn benchmarks(job: Option<&str>) -> Request {
    Request::new(Method::Get, &["storage", "ceph", "benchmark"]).maybe("job", job)
}

/// Measures a pool, which takes all the speed it has; a task. Named by its time by default; each of
/// its tests lasts 75 seconds by default.
#[must_use]
pub fn run_benchmark(
    pool: &str,
    name: Option<&str>,
    seconds: Option<u32>,
    _: &Destructive,
) -> Request {
    Request::new(Method::Post, &["storage", "ceph", "benchmark"])
        .with("pool", pool)
        .maybe("name", name)
        .maybe("seconds", seconds)
}
