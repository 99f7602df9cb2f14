//! End-to-end tests and benchmarks on real components.

pub mod lab;
