//! What the daemons need of ZooKeeper: a small trait with an honest fake.

use std::future::Future;

use pvc_common::zk::{Op, Version};
use tokio::sync::{mpsc, watch};

use crate::error::{CommitError, TreeError};

/// A znode as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The data.
    pub data: Vec<u8>,
    /// How often the data was written since the znode was created.
    pub version: Version,
    /// How many children it has: whoever walks a tree need not ask the leaves for theirs.
    pub children: u32,
    /// Whether it vanishes with the session that created it.
    pub ephemeral: bool,
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
    /// Changes may have been missed: read everything again. What changes from now on is reported.
    ///
    /// Comes first of all, after every reconnection, and when the reader fell behind.
    Resync,
}

/// A place in a queue: an ephemeral znode with a number in its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enlisted {
    /// Where it is: the prefix and ten digits.
    pub path: String,
    /// The session it vanishes with.
    pub epoch: u64,
}

/// The ZooKeeper tree.
///
/// Every call ends within the limit the implementation was made with; one that reads many
/// znodes, when no further answer came for that long. Cloning shares one session. Paths are
/// absolute; names come from `pvc_common::zk::key`.
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
    /// Includes lock contenders (see [`crate::is_contender`]).
    fn children(
        &self,
        path: &str,
    ) -> impl Future<Output = Result<Option<Vec<String>>, TreeError>> + Send;

    /// The children of many znodes, as [`Tree::children`], in few round trips. Not atomic.
    fn children_many(
        &self,
        paths: &[String],
    ) -> impl Future<Output = Result<Vec<Option<Vec<String>>>, TreeError>> + Send;

    /// Runs `ops` as one atomic transaction: all happen, or none.
    ///
    /// An empty transaction succeeds without asking.
    fn commit(&self, ops: Vec<Op>) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// Creates an ephemeral znode named `prefix` and the next number of its parent.
    ///
    /// Never [`CommitError::Superseded`]. After [`CommitError::Unknown`] it may exist: look for
    /// the prefix, which is why that must be unique. Made for [`crate::lock`].
    fn enlist(
        &self,
        prefix: &str,
        data: Vec<u8>,
    ) -> impl Future<Output = Result<Enlisted, CommitError>> + Send;

    /// Reports what changes at and below `root` until the receiver is dropped.
    ///
    /// Bounded: a reader that falls behind gets one [`Change::Resync`] for what it missed.
    /// Survives reconnections and new sessions. `root` need not exist. Needs a tokio runtime.
    fn watch(&self, root: &str) -> mpsc::Receiver<Change>;

    /// The state of the session, as it changes.
    ///
    /// Shows a session live before any watch reports its [`Change::Resync`].
    fn session(&self) -> watch::Receiver<Session>;
}
