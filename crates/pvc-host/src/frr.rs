//! FRR, which tells other nodes where VMs are.

use std::future::Future;
use std::io;

use pvc_command::CommandError;

/// Why FRR's configuration could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum FrrError {
    /// FRR is not installed here.
    #[error("FRR is not installed on this node (Debian: frr and frr-pythontools)")]
    Absent,
    /// Its file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Its program failed.
    #[error("FRR could not be configured: {source}")]
    Failed {
        /// What happened.
        #[source]
        source: CommandError,
    },
    /// It says that it is done, and does not have it.
    #[error("FRR did not take `{line}`: is its bgpd enabled in /etc/frr/daemons?")]
    NotTaken {
        /// The first line that it does not have.
        line: String,
    },
}

/// The configuration of this machine's FRR, as a whole. Every call ends within its deadline.
pub trait Frr: Send + Sync + 'static {
    /// What it starts with; `None` if there is no such file.
    ///
    /// # Errors
    /// [`FrrError::Absent`], [`FrrError::File`].
    fn stored(&self) -> impl Future<Output = Result<Option<String>, FrrError>> + Send;

    /// Has it run by this configuration, and then start with it. Idempotent: what is so already is not
    /// disturbed. If it fails, what it starts with is what it was.
    fn configure(&self, text: &str) -> impl Future<Output = Result<(), FrrError>> + Send;
}
