//! The whole cluster on virtual time: the daemons' own decisions against every fault.
//!
//! The plans of `pvc_plan` run here as they do in the daemons, each on the view that its node
//! has; everything else is made of chance and a clock that nobody waits for: hosts, networks,
//! ZooKeeper, libvirt, Ceph, BMCs. After every event the guarantees are checked; a seed repeats
//! any failure.

pub mod chance;
pub mod chaos;
pub mod check;
pub mod daemon;
pub mod ensemble;
pub mod guard;
pub mod host;
pub mod network;
pub mod play;
pub mod proof;
pub mod qemu;
pub mod rack;
pub mod script;
pub mod setup;
pub mod story;
pub mod tree;
pub mod world;

mod build;
mod enact;
mod person;
