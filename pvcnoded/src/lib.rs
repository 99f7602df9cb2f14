//! The node daemon, as a library so that its parts can be tested on fakes.

pub mod admission;
mod assembly;
pub mod bmc;
pub mod config;
pub mod console;
pub mod daemon;
pub mod fence;
pub mod flush;
pub mod guard;
pub mod image;
pub mod keepalive;
mod kept_watchdog;
mod liveness;
pub mod mesh;
pub mod network;
pub mod outfit;
pub mod own_keys;
pub mod primary;
pub mod serve;
pub mod settings;
pub mod startup;
pub mod stats;
pub mod storage;
pub mod task;
pub mod traffic;
pub mod vm;
pub mod vnc;
