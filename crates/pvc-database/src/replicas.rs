//! Which of the replicated databases leads.

use std::future::Future;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::observed::Replication;

/// Why it is not known who leads, or why another one does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplicasError {
    /// Nobody answers there.
    #[error("Patroni cannot be reached: {why}")]
    Unreachable {
        /// Why not.
        why: String,
    },
    /// It did not answer in time. What it was asked for may come about all the same.
    #[error("Patroni did not answer within {} s", limit.as_secs_f32())]
    Late {
        /// How long was waited.
        limit: Duration,
    },
    /// It does not do what it was asked for.
    #[error("Patroni refused: {why}")]
    Refused {
        /// Its words.
        why: String,
    },
    /// Its answer could not be understood.
    #[error("Patroni's answer could not be understood: {why}")]
    Garbled {
        /// Why not.
        why: String,
    },
}

/// What replicates the databases, asked on this node. Every call is bounded.
pub trait Replicas: Send + Sync + 'static {
    /// Whether this node's database leads.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn leads(&self) -> impl Future<Output = Result<bool, ReplicasError>> + Send;

    /// All databases and who leads.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn all(&self) -> impl Future<Output = Result<Replication, ReplicasError>> + Send;

    /// Has `from`, which leads, pass that on to `to`; returns when that is done.
    ///
    /// # Errors
    /// When it was not done, or not in time.
    fn pass_on(
        &self,
        from: &str,
        to: &NodeName,
    ) -> impl Future<Output = Result<(), ReplicasError>> + Send;

    /// Has this node's database thrown away and copied from the leader's; returns when that has begun.
    ///
    /// # Errors
    /// When it has not begun.
    fn copy_anew(&self) -> impl Future<Output = Result<(), ReplicasError>> + Send;
}
