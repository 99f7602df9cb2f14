//! How reading and writing the tree can go wrong.

use std::time::Duration;

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
    /// Nothing was written, for a reason that reading again will not mend: a parent that is
    /// missing, a transaction that is too large, a path that is no path.
    #[error("ZooKeeper refused to write {path}: {why}")]
    Refused {
        /// The path at fault, or the first of the transaction.
        path: String,
        /// Its reason.
        why: String,
    },
    /// No answer, or none within the limit: it may or may not have been written, or may yet be.
    ///
    /// A later read through the same tree tells: it is answered after the write.
    #[error("ZooKeeper did not answer within {} ms while writing {path}", waited.as_millis())]
    Unknown {
        /// The first path of the transaction.
        path: String,
        /// How long it was waited for.
        waited: Duration,
    },
}

/// Why work on a whole subtree was not finished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubtreeError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] TreeError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] CommitError),
}
