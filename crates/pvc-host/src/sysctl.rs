//! Settings of the kernel.

use std::future::Future;
use std::io;

/// Why a setting could not be made.
#[derive(Debug, thiserror::Error)]
#[error("kernel setting {key} could not be set to {value}")]
pub struct SysctlError {
    /// The setting.
    pub key: String,
    /// What it should have been.
    pub value: String,
    /// What the kernel says.
    #[source]
    pub source: io::Error,
}

/// The kernel's settings below `/proc/sys`.
pub trait Sysctl: Send + Sync + 'static {
    /// Gives a setting a value. Idempotent; nothing is written if it has that value already.
    ///
    /// `key` is a path such as `net/ipv4/ip_forward`: device names may contain dots.
    fn set(&self, key: &str, value: &str) -> impl Future<Output = Result<(), SysctlError>> + Send;
}
