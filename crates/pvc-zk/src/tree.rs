//! What the daemons need of ZooKeeper: a small trait with an honest fake.

use std::future::Future;
use std::time::Duration;

use pvc_common::zk::{Op, Version};
use tokio::sync::{mpsc, watch};

/// A znode's data as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The data.
    pub data: Vec<u8>,
    /// How often it was written since the znode was created.
    pub version: Version,
}

/// The state of this process's session.
///
/// ```text
///            ┌───────────────┐
///  Connecting ──▶ Live ──▶ Suspended ──▶ Connecting (a new epoch)
///                  ▲───────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// There is no session (any more): what was ephemeral is gone or will be.
    Connecting,
    /// The session with this number is alive. Each new session has a greater number.
    Live {
        /// Number of the session since the process started.
        epoch: u64,
    },
    /// The server has not been heard for a while: the session may be over without us knowing.
    Suspended {
        /// Number of the session that may be ending.
        epoch: u64,
    },
}

impl Session {
    /// The number of the session if it is known to be alive.
    #[must_use]
    pub const fn live(self) -> Option<u64> {
        match self {
            Self::Live { epoch } => Some(epoch),
            Self::Connecting | Self::Suspended { .. } => None,
        }
    }
}

/// What a watch of a subtree reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The znode was created, written or deleted: read it again.
    Touched(String),
    /// Changes may have been missed: read everything again.
    ///
    /// Comes after every reconnection, and when the reader fell behind.
    Resync,
}

/// Why ZooKeeper could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// No answer within the limit: there is no session, or the ensemble has no quorum.
    #[error("ZooKeeper did not answer within {} ms while reading {path}", waited.as_millis())]
    NoAnswer {
        /// What was being read.
        path: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// ZooKeeper refused the request.
    #[error("ZooKeeper refused to read {path}: {why}")]
    Refused {
        /// What was being read.
        path: String,
        /// Its reason.
        why: String,
    },
}

/// Why a transaction is not known to have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Somebody else was faster: an expectation did not hold, and nothing was written.
    ///
    /// A normal outcome: read again and decide again.
    #[error("{path} changed meanwhile; nothing was written")]
    Superseded {
        /// The first path that was not as expected.
        path: String,
    },
    /// Nothing was written, for a reason that reading again will not mend.
    #[error("ZooKeeper refused to write {path}: {why}")]
    Refused {
        /// The path at fault, or the first of the transaction.
        path: String,
        /// Its reason.
        why: String,
    },
    /// No answer within the limit: it may or may not have been written; read before retrying.
    #[error("ZooKeeper did not answer within {} ms while writing {path}", waited.as_millis())]
    Unknown {
        /// The first path of the transaction.
        path: String,
        /// How long it was waited for.
        waited: Duration,
    },
}

/// The ZooKeeper tree.
///
/// Every call ends within the deadline the implementation was made with. Cloning shares one
/// session. Paths are absolute; names come from `pvc_common::zk::key`.
pub trait Tree: Clone + Send + Sync + 'static {
    /// Reads one znode; `None` if there is none.
    fn get(&self, path: &str) -> impl Future<Output = Result<Option<Entry>, TreeError>> + Send;

    /// Reads many znodes, in order, in few round trips. Not atomic.
    fn get_many(
        &self,
        paths: &[String],
    ) -> impl Future<Output = Result<Vec<Option<Entry>>, TreeError>> + Send;

    /// The names of a znode's children, sorted; `None` if there is no such znode.
    ///
    /// Includes lock contenders of upstream's recipes.
    fn children(
        &self,
        path: &str,
    ) -> impl Future<Output = Result<Option<Vec<String>>, TreeError>> + Send;

    /// Runs `ops` as one atomic transaction: all happen, or none.
    ///
    /// An empty transaction succeeds without asking.
    fn commit(&self, ops: Vec<Op>) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// Reports what changes at and below `root` until the receiver is dropped.
    ///
    /// Bounded: a reader that falls behind gets one [`Change::Resync`] for what it missed.
    /// Survives reconnections and new sessions.
    fn watch(&self, root: &str) -> mpsc::Receiver<Change>;

    /// The state of the session, as it changes.
    fn session(&self) -> watch::Receiver<Session>;
}
