//! Faults of the cluster.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that lowers the cluster's health until it is acknowledged or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// What it is and whom it concerns, such as `DEAD_NODE_HV2`.
    pub id: String,
    /// When it was last seen, as `YYYY-MM-DD HH:MM:SS` of the reporting node.
    pub last_reported: String,
    /// When it was first seen.
    pub first_reported: String,
    /// When it was acknowledged; empty if it was not.
    #[serde(default)]
    pub acknowledged_at: String,
    /// `new` or `ack`.
    pub status: String,
    /// Percent by which it lowers the cluster's health while it is new.
    pub health_delta: i64,
    /// What happened.
    pub message: String,
}
