//! FRR, which tells other nodes where VMs are.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;

use pvc_command::CommandError;

/// Why FRR could not be asked or changed.
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
    /// Its daemons do not answer.
    #[error("FRR does not answer: {source}")]
    Silent {
        /// What happened.
        #[source]
        source: CommandError,
    },
    /// What it answers cannot be understood.
    #[error("FRR's answer is not understood: {source}")]
    Answer {
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// It says that it is done, and does not have it.
    #[error("FRR did not take `{line}`: is its bgpd enabled in /etc/frr/daemons?")]
    NotTaken {
        /// The first line that it does not have.
        line: String,
    },
}

/// The FRR of this machine: its configuration, as a whole, and whom it hears. Every call ends within its deadline.
pub trait Frr: Send + Sync + 'static {
    /// What it starts with; `None` if there is no such file.
    ///
    /// # Errors
    /// [`FrrError::Absent`], [`FrrError::File`].
    fn stored(&self) -> impl Future<Output = Result<Option<String>, FrrError>> + Send;

    /// Has it run by this configuration, and then start with it. Idempotent: what is so already is not
    /// disturbed. If it fails, what it starts with is what it was.
    fn configure(&self, text: &str) -> impl Future<Output = Result<(), FrrError>> + Send;

    /// The peers with which it exchanges where VMs are: its sessions are established.
    ///
    /// # Errors
    /// [`FrrError::Silent`] if a daemon of FRR's that is needed does not run or hangs,
    /// [`FrrError::Answer`].
    fn heard(&self) -> impl Future<Output = Result<BTreeSet<Ipv4Addr>, FrrError>> + Send;
}
