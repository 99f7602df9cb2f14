//! The node daemon, as a library so that its parts can be tested on fakes.

mod assembly;
pub mod config;
pub mod console;
pub mod daemon;
pub mod flush;
pub mod image;
pub mod keepalive;
pub mod network;
pub mod outfit;
pub mod own_keys;
pub mod primary;
pub mod serve;
pub mod settings;
pub mod startup;
pub mod stats;
pub mod traffic;
pub mod vm;
pub mod vnc;
