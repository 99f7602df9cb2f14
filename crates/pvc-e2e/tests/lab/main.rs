//! The cluster as its users see it, on real hosts: `cargo xtask test --tier lab` runs this.
//!
//! Each test takes the lab for itself and leaves the cluster clean; see `pvc_e2e::lab`.

#![expect(clippy::unwrap_used, reason = "tests")]

mod daemons;
mod fence;
mod flush;
mod lifecycle;
mod migrate;
mod network;
mod ordered;
mod primary;
mod record;
mod refusals;
mod spared;
mod start;
mod upgrade;
mod victim;
