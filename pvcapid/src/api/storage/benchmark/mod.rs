//! Benchmarks of pools.

pub(in crate::api) mod list;
pub(in crate::api) mod run;
