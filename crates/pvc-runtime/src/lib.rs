//! What every daemon is built in: configuration, logging, the reconciler loop, its end.

pub mod banner;
pub mod config;
pub mod drain;
pub mod exit;
pub mod log;
pub mod reconcile;
pub mod secrecy;

/// The version of this build, as `pvc` and the daemons report it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
