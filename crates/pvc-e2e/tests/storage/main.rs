//! The storage as its users see it, on a real Ceph: `cargo xtask test --tier lab` runs this, in a lab
//! that was brought up with `--storage`.
//!
//! What is done through `pvc` is read back with Ceph's own tools.

#![expect(clippy::unwrap_used, reason = "tests")]

mod disk;
mod exporter;
mod fence;
mod locks;
mod osd;
mod pool;
mod silent;
mod snapshot;
mod status;
mod task;
mod vm;
mod volume;
